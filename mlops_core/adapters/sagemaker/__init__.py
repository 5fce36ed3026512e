"""Amazon SageMaker: a model's endpoint, its variants by weight, and blue/green updates that alarms end."""

from mlops_core.adapters.sagemaker.platform import SageMakerPlatform

__all__ = ["SageMakerPlatform"]
