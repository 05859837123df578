"""What tests share: tiny models, a local Hub, a browser, the command line in a process of its own."""
