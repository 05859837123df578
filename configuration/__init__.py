"""Configurations. Importing this package lets transformers' pipelines ask the models for their own class."""

from malmoi.configuration.after_import import AfterImport
from malmoi.configuration.own_pipeline import offer_own_pipelines

AfterImport(offer_own_pipelines)
