"""Configurations. Importing this package lets transformers' pipelines ask the models for their own class."""

from malmoi.configuration import own_pipeline
from malmoi.configuration.after_import import AfterImport

own_pipeline.package_waits = True
AfterImport(own_pipeline.offer_own_pipelines)
