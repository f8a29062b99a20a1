"""botocore's own client against the endpoint."""

import base64
import datetime
import threading

from botocore.exceptions import ClientError

from .case import CloudCase, FUNCTION_ARN, REGISTRY

MAY_BE_LEFT_OUT = {
    "CodeArtifact",
    "Concurrency",
    "Cors",
    "DeadLetterConfig",
    "Environment",
    "FileSystemConfigs",
    "FunctionError",
    "Handler",
    "ImageConfigResponse",
    "KMSKeyArn",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "Layers",
    "MasterArn",
    "NextMarker",
    "RoutingConfig",
    "Runtime",
    "RuntimeVersionConfig",
    "SigningJobArn",
    "SigningProfileVersionArn",
    "StateReason",
    "StateReasonCode",
    "Tags",
    "TagsError",
    "VpcConfig",
    "LastUpdateStatus",
}


class OwnClient(CloudCase):
    """botocore's client makes the requests and reads the answers."""

    def test_answers_are_what_the_model_says(self):
        self.make_function()
        client = self.client("lambda")
        arn = FUNCTION_ARN
        calls = (
            ("get_function", {"FunctionName": arn}),
            ("get_function_configuration", {"FunctionName": "hello"}),
            ("publish_version", {"FunctionName": "hello"}),
            ("create_alias", {"FunctionName": "hello", "Name": "live", "FunctionVersion": "1"}),
            ("update_alias", {"FunctionName": "hello", "Name": "live", "Description": "x"}),
            ("list_aliases", {"FunctionName": "hello"}),
            ("list_versions_by_function", {"FunctionName": "hello"}),
            ("list_functions", {}),
            ("tag_resource", {"Resource": arn, "Tags": {"a": "b c"}}),
            ("list_tags", {"Resource": arn}),
            ("get_function_url_config", {"FunctionName": "hello"}),
            (
                "update_function_configuration",
                {
                    "FunctionName": "hello",
                    "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
                },
            ),
            ("invoke", {"FunctionName": "hello", "Payload": b"{}", "LogType": "Tail"}),
        )
        model = client.meta.service_model
        for name, arguments in calls:
            with self.subTest(name):
                answer = getattr(client, name)(**arguments)
                operation = client.meta.method_to_api_mapping[name]
                shape = model.operation_model(operation).output_shape
                missing = [each for each in (shape.members if shape else {}) if each not in answer]
                self.assertFalse(set(missing) - MAY_BE_LEFT_OUT, operation)
        self.assertEqual(
            client.get_function_configuration(FunctionName="hello")["VpcConfig"]["VpcId"][:4],
            "vpc-",
        )
        client.get_waiter("function_updated_v2").wait(FunctionName="hello")
        with self.assertRaises(client.exceptions.ResourceNotFoundException):
            client.get_function(FunctionName="nobody")

    def test_ecr(self):
        client = self.client("ecr")
        client.create_repository(repositoryName="app")
        token = client.get_authorization_token()["authorizationData"][0]
        self.assertEqual(token["proxyEndpoint"], f"https://{REGISTRY}")
        self.assertTrue(base64.b64decode(token["authorizationToken"]).startswith(b"AWS:"))
        self.assertGreater(
            (token["expiresAt"] - datetime.datetime.now(token["expiresAt"].tzinfo)).total_seconds(),
            11 * 3600,
        )
        with self.assertRaises(client.exceptions.ImageNotFoundException):
            client.describe_images(repositoryName="app", imageIds=[{"imageTag": "x"}])
        with self.assertRaises(ClientError) as caught:
            client.describe_images(repositoryName="nobody")
        self.assertEqual(caught.exception.response["Error"]["Code"], "RepositoryNotFoundException")

    def test_many_at_once(self):
        self.make_function()
        client, statuses = self.client("lambda"), []

        def work():
            statuses.append(
                client.get_function(FunctionName="hello")["ResponseMetadata"]["HTTPStatusCode"]
            )

        threads = [threading.Thread(target=work) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(statuses, [200] * 20)
