"""A service that answers texts over HTTP: `malmoi serve --api`."""
