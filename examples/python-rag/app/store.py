"""Documents that users add: in the S3 bucket STORAGE_BUCKET, or in /tmp, which is forgotten with the instance."""

import os
import pathlib

FOLDER = pathlib.Path(os.environ.get("STORAGE_FOLDER", "/tmp/documents"))
BUCKET = os.environ.get("STORAGE_BUCKET")
PREFIX = "documents/"

if BUCKET:
    import boto3  # a part of Lambda's image

    S3 = boto3.client("s3")


def put(key, text):
    if BUCKET:
        S3.put_object(Bucket=BUCKET, Key=PREFIX + key, Body=text.encode())
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / key).write_text(text, encoding="utf-8")


def get(key):
    """The text, None if there is no such document."""
    if BUCKET:
        try:
            return S3.get_object(Bucket=BUCKET, Key=PREFIX + key)["Body"].read().decode()
        except S3.exceptions.NoSuchKey:
            return None
    path = FOLDER / key
    return path.read_text(encoding="utf-8") if path.exists() else None


def delete(key):
    if BUCKET:
        S3.delete_object(Bucket=BUCKET, Key=PREFIX + key)
    else:
        (FOLDER / key).unlink(missing_ok=True)


def names():
    if BUCKET:
        pages = S3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=PREFIX)
        return [item["Key"].removeprefix(PREFIX) for page in pages for item in page.get("Contents", [])]
    return sorted(path.name for path in FOLDER.iterdir()) if FOLDER.is_dir() else []
