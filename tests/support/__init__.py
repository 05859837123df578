"""What tests share: tiny models, a local Hub, a browser, the command line in a process of its own.

Code in another process goes through `warm_process.run_in_process`, or what stands on it: `command_line.malmoi`,
`fresh_process.run_python`, the fixtures `run_without_malmoi` and `warm_examples`, `local_hub_client.HubClient`.
`property_tests.examples` says how many examples a property gets; `random_order` is `pytest --shuffle SEED`.
"""
