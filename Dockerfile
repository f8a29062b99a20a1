# The action's image: the static program, buildx, and the certificates of the authorities that it trusts. Nothing else.
#     docker build --tag lambda-fastdeploy .
# BUILDX is given by digest where the image is published; what is not given is Docker's image of that version.
ARG BUILDX=docker/buildx-bin:0.36.1
FROM ${BUILDX} AS buildx

# Debian 12, whose OpenSSL makes the program a third smaller than that of the next release does.
FROM debian:bookworm-slim AS build
# Its packages are in the image's bill of materials, for the libraries among them are in the program.
ARG BUILDKIT_SBOM_SCAN_STAGE=true
WORKDIR /src
COPY tools tools
RUN tools/install static
COPY . .
# The certificates lie under the hashes of their subjects, so that the program reads those alone that it meets.
# /cleanup is the program's second name: under it nothing is deployed, what a killed run left behind is put in order.
RUN make -j"$(nproc)" static \
    && mkdir -p /out/etc/ssl/certs \
    && mkdir -m 1777 /out/tmp \
    && cp build/static/lambda-fastdeploy /out/ \
    && ln -s lambda-fastdeploy /out/cleanup \
    && cp --dereference /etc/ssl/certs/????????.[0-9] /out/etc/ssl/certs/

# What the program is made of; asked for by the release (--target sbom), not in the image.
FROM build AS bill
RUN packaging/sbom >/sbom.spdx.json
FROM scratch AS sbom
COPY --from=bill /sbom.spdx.json /

FROM scratch
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="lambda-fastdeploy" \
      org.opencontainers.image.description="Takes one commit to a verified AWS Lambda function built as a container image" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
ENV PATH=/
# All of buildx-bin, which is the one static program /buildx.
COPY --from=buildx / /
COPY --from=build /out/ /
ENTRYPOINT ["/lambda-fastdeploy"]
