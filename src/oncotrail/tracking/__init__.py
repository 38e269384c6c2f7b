"""The only importer of mlflow: recording, sync, the registry."""
