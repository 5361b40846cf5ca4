"""The bucket of deployments: zips and templates, named by what they hold.

It is encrypted, closed to the public and to plain HTTP, and versioned. What is called by its digest
is uploaded once, and rolling back finds it again.
"""

import hashlib
import json
from typing import Any

from botocore.exceptions import ClientError

from infra.template.naming import APP
from infra.template.plain_http import refuse_plain_http
from infra.template.stages import Stage

KEPT_DAYS = 400  # Longer than anybody rolls back; a zip costs a tenth of a cent a month.


class BucketIsNotOurs(RuntimeError):
    """The bucket's name is taken, by somebody else or in another region."""


def bucket_name(stage: Stage, account: str) -> str:
    """The bucket of a stage: names are shared by all of AWS, so account and region are in it."""
    return f"{APP}-{stage.name}-artefacts-{account}-{stage.region}"


def prepare_bucket(s3: Any, bucket: str, *, region: str) -> None:
    """Make the bucket if it is not there, and set again what guards it.

    :raises BucketIsNotOurs: the name is taken.
    """
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise BucketIsNotOurs(f"{bucket} may not be used") from error
        where = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **({} if region == "us-east-1" else where))
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    s3.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    )
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    everything = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(refuse_plain_http("s3:*", everything)))
    s3.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": [_lifecycle()]}
    )


def put_once(s3: Any, bucket: str, body: bytes, *, suffix: str) -> str:
    """Upload `body` under its SHA-256, unless it is there; returns the key."""
    key = f"{hashlib.sha256(body).hexdigest()}.{suffix}"
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise BucketIsNotOurs(f"{bucket} may not be read") from error
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    return key


def _lifecycle() -> dict[str, Any]:
    return {
        "ID": "old-versions-go",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": KEPT_DAYS},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
