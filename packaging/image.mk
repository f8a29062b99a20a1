# The action's image.
#   make image           builds it by the machine's Docker
#   make test-image      builds it in the local cloud and runs it as GitHub's runner does
IMAGE ?= lambda-fastdeploy:$(VERSION)

.PHONY: image test-image

image:
	docker build --tag $(IMAGE) --build-arg VERSION=$(VERSION) .

test-image: tools-check
	tests/cloud/install
	packaging/fetch curl build/downloads
	packaging/fetch cjson build/downloads
	packaging/debian-image build/stand-ins/debian.tar
	tests/with-cloud packaging/test-image $(IMAGE)

SCRIPTS += $(addprefix packaging/,fetch libraries sysroot test-static debian-image test-image publish sbom)
