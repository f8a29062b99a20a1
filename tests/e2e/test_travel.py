"""Which bytes travel: a layer that the registry has is not sent again."""

from . import cloud
from .images import ImageCase


class Mounting(ImageCase):
    alone = True  # a setting of the registry

    def test_layers_of_the_base_are_mounted(self):
        """ECR's blob mounting, where an account has it on: the base's layers get to the application's repository without being sent."""
        self.cloud.settings(blob_mounting=True)
        self.addCleanup(self.cloud.settings, blob_mounting=False)
        project = self.project().write("base/large", self.name * 1000)
        project.commit("Give the base something of its own")
        mark = self.mark()
        run = self.deploy(project)
        sent = [request for request in self.since(mark) if request["service"] == "registry" and request["resource"] == self.name]
        mounted = [request for request in sent if request["operation"] == "MountBlob" and request["status"] == 201]
        base = self.layers(self.base_name, run.outputs["base-image-digest"])
        self.assertGreaterEqual(len(mounted), len(base), cloud.operations(sent))
        self.assertStandsOn(run)
        self.assertVersion("1")
