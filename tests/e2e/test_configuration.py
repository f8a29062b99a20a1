"""The function's configuration: written where it differs, never wiped, never printed, and put back."""

import json

from . import cloud
from .serving import FunctionCase

SECRET = "tr0ub4dor-\"quoted\"\\and-3"
ROLE = f"arn:aws:iam::{cloud.ACCOUNT}:role/lambda"
ARN = f"arn:aws:%s:{cloud.REGION}:{cloud.ACCOUNT}:%s"
# Every member of Lambda's configuration that an image function can have, as it is asked for.
EVERYTHING = {
    "VpcConfig": {"SubnetIds": ["subnet-0b", "subnet-0a"], "SecurityGroupIds": ["sg-1"]},
    "ImageConfig": {"Command": ["serve"], "EntryPoint": [], "WorkingDirectory": "/"},
    "TracingConfig": {"Mode": "Active"},
    "DeadLetterConfig": {"TargetArn": ARN % ("sqs", "letters")},
    "FileSystemConfigs": [{"Arn": ARN % ("elasticfilesystem", "access-point/fsap-0123456789abcdef0"),
                           "LocalMountPath": "/mnt/data"}],
    "LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "INFO"},
    "KMSKeyArn": ARN % ("kms", "key/0123abcd"),
    "Role": f"arn:aws:iam::{cloud.ACCOUNT}:role/other",
}
SIMPLE = {"memory_size": "256", "timeout": "9", "ephemeral_storage": "1024", "description": "Answers"}


class Configuration(FunctionCase):
    base_stands = True

    def setUp(self):
        super().setUp()
        self.secrets.update({SECRET, json.dumps(SECRET)[1:-1]})

    def changes(self, mark):
        return [request for request in self.since(mark) if request["operation"] == "UpdateFunctionConfiguration"]

    def deploy_twice(self, project, **inputs):
        """The second one finds nothing to do."""
        run = self.deploy(project, **inputs)
        self.assertExit(run, 0)
        mark = self.mark()
        again = self.deploy(project, **inputs)
        self.assertExit(again, 0)
        self.assertOutputs(again, deployed="false")
        self.assertEqual(self.changes(mark), [])
        return run

    def test_simple_settings(self):
        project, _ = self.serve(environment={"KEEP": "kept"})
        run = self.deploy_twice(project, **SIMPLE)
        found = self.configuration()
        self.assertEqual((found["MemorySize"], found["Timeout"], found["EphemeralStorage"], found["Description"]),
                         (256, 9, {"Size": 1024}, "Answers"))
        self.assertEqual(found["Environment"], {"Variables": {"KEEP": "kept"}})
        for text in ("memory-size: 128 → 256", "timeout: 3 → 9"):
            self.assertIn(text, run.text)
            self.assertIn(text.split(":")[0], run.summary)

    def test_every_member(self):
        project, _ = self.serve()
        inputs = {"function_configuration": json.dumps(EVERYTHING), "health_url": None}
        self.deploy_twice(project, **inputs)
        found = self.configuration()
        self.assertEqual(found["LoggingConfig"]["LogGroup"], f"/aws/lambda/{self.name}", "what was not named stays")
        self.assertEqual(found["ImageConfigResponse"]["ImageConfig"]["Command"], ["serve"])
        self.assertEqual(found["Role"], EVERYTHING["Role"])

    def test_every_member_is_put_back(self):
        project, seeded = self.serve()
        before = self.settings()
        run = self.deploy(project, function_configuration=json.dumps(EVERYTHING), health_payload='{"a":1}',
                          health_expect="never said", health_url=None, **SIMPLE)
        self.assertExit(run, 1)
        self.assertOutputs(run, rolled_back="true")
        self.assertEqual(self.cloud.digest_of(self.name), seeded)
        self.assertEqual(self.settings(), before)
        self.assertIn("configuration is as it was", run.summary)

    def settings(self):
        """The configuration without what changes by itself, and without what is shown empty once it was set."""
        found = self.configuration()
        empty = ({"TargetArn": ""}, {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": "",
                                     "Ipv6AllowedForDualStack": False})
        return {name: value for name, value in found.items()
                if name not in ("RevisionId", "LastModified", "CodeSha256") and value not in empty}

    def test_environment_merges(self):
        project, _ = self.serve(environment={"KEEP": "kept", "PASSWORD": "old-password-1"})
        self.secrets.update({"old-password-1", "kept-out-of-sight"})
        run = self.deploy_twice(project, environment=f"PASSWORD={SECRET}\nNEW=kept-out-of-sight")
        self.assertEqual(self.configuration()["Environment"]["Variables"],
                         {"KEEP": "kept", "PASSWORD": SECRET, "NEW": "kept-out-of-sight"})
        self.assertIn("environment: ~ PASSWORD, + NEW", run.text)

    def test_environment_is_replaced(self):
        project, _ = self.serve(environment={"GONE": "gone-for-good-1"})
        self.secrets.add("gone-for-good-1")
        run = self.deploy_twice(project, environment=f"PASSWORD={SECRET}", environment_mode="replace")
        self.assertEqual(self.configuration()["Environment"]["Variables"], {"PASSWORD": SECRET})
        self.assertIn("- GONE", run.text)

    def test_environment_that_is_not_given_stays(self):
        project, _ = self.serve(environment={"PASSWORD": SECRET})
        mark = self.mark()
        self.assertExit(self.deploy(project), 0)
        self.assertEqual(self.changes(mark), [])
        self.assertEqual(self.configuration()["Environment"]["Variables"], {"PASSWORD": SECRET})

    def test_environment_is_put_back(self):
        project, _ = self.serve(environment={"PASSWORD": SECRET})
        project.behave(version="bad", health="500").commit()
        run = self.deploy(project, environment="PASSWORD=another-password\nMORE=more-of-it", timeout="9")
        self.assertExit(run, 1)
        self.assertOutputs(run, rolled_back="true")
        found = self.configuration()
        self.assertEqual((found["Environment"]["Variables"], found["Timeout"]), ({"PASSWORD": SECRET}, 3))
        self.serves("0")

    def test_configuration_alone_that_breaks_the_function(self):
        project, _ = self.serve()
        self.assertExit(self.deploy(project), 0)
        run = self.deploy(project, environment="FIXTURE_HEALTH=500")
        self.assertExit(run, 1)
        self.assertOutputs(run, rolled_back="true", image_built="reused")
        self.assertNotIn("Environment", self.configuration())
        self.serves("1")

    def test_hidden_environment_is_not_merged_into(self):
        project, _ = self.serve(environment={"PASSWORD": SECRET})
        self.cloud.change_function(self.name, environment_hidden=True)
        mark = self.mark()
        run = self.deploy(project, environment="NEW=1")
        self.assertExit(run, 1)
        self.assertError(run, "merge", "replace")
        self.assertUntouched(mark)
        self.assertEqual(run.called("buildx"), [])

    def test_hidden_environment_that_was_replaced_has_no_way_back(self):
        project, seeded = self.serve(environment={"PASSWORD": SECRET})
        self.cloud.change_function(self.name, environment_hidden=True)
        project.behave(version="bad", health="500").commit()
        run = self.deploy(project, environment="NEW=1", environment_mode="replace")
        self.assertExit(run, 3)
        self.assertIn("--environment", run.summary)
        self.assertEqual(self.cloud.digest_of(self.name), seeded)

    def test_refusal_that_repeats_a_secret(self):
        """Lambda's refusals repeat what they were sent."""
        project, _ = self.serve()
        self.cloud.fault("lambda", "UpdateFunctionConfiguration", "status",
                         {"status": 400, "code": "InvalidParameterValueException",
                          "message": f"Value '{SECRET}' at 'environment' failed to satisfy a constraint"},
                         resource=self.name)
        run = self.deploy(project, environment=f"PASSWORD={SECRET}")
        self.assertExit(run, 1)
        self.assertError(run, "failed to satisfy", "***")

    def test_environment_over_4_kb_together(self):
        """Each part fits; together with what is there they do not."""
        project, _ = self.serve(environment={"BIG": "x" * 3000})
        mark = self.mark()
        run = self.deploy(project, environment="MORE=" + "y" * 2000)
        self.assertExit(run, 2)
        self.assertError(run, "environment", "4096")
        self.assertUntouched(mark)
        self.assertEqual(run.called("buildx"), [])

    def test_last_update_failed_code_goes_first(self):
        project, _ = self.serve()
        self.cloud.change_function(self.name, last_update_status="Failed", reason_code="ImageDeleted",
                                   reason="The image is gone")
        mark = self.mark()
        run = self.deploy(project, timeout="9")
        self.assertExit(run, 0)
        made = [each for each in cloud.operations(cloud.changes(self.since(mark))) if each.startswith("Update")]
        self.assertEqual(made, ["UpdateFunctionCode", "UpdateFunctionConfiguration"])
        self.assertEqual(self.configuration()["Timeout"], 9)
        self.serves("1")

    def test_last_update_failed_and_the_answer_about_the_configuration_is_lost(self):
        """It has arrived, and what the function was before the code went first says nothing about that."""
        project, _ = self.serve()
        self.cloud.change_function(self.name, last_update_status="Failed", reason_code="ImageDeleted",
                                   reason="The image is gone")
        self.cloud.fault("lambda", "UpdateFunctionConfiguration", "reset-after", resource=self.name)
        run = self.deploy(project, timeout="9")
        self.assertExit(run, 0)
        self.assertNotIn("somebody else", run.text)
        self.assertEqual(self.configuration()["Timeout"], 9)
        self.serves("1")

    def test_alias_whose_version_is_configured_otherwise(self):
        """$LATEST has it already, by somebody's hand: a version with it is published even so."""
        project, _ = self.serve("live")
        self.assertExit(self.deploy(project), 0)
        self.cloud.change_function(self.name, configuration={"MemorySize": 512})
        run = self.deploy(project, memory_size="512")
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="true")
        version = self.cloud.function(self.name, self.alias_target())["Configuration"]
        self.assertEqual(version["MemorySize"], 512)

    def test_created_with_its_configuration(self):
        project = self.project()
        run = self.run_step(project, inputs=self.inputs(environment=f"PASSWORD={SECRET}", memory_size="256"))
        self.assertExit(run, 0)
        found = self.configuration()
        self.assertEqual((found["MemorySize"], found["Timeout"], found["Environment"]["Variables"]),
                         (256, 30, {"PASSWORD": SECRET}))
