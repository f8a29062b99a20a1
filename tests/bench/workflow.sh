#!/bin/sh
# The workflow that people write by hand, as one script: AWS CLI v2 and buildx, one step after the other. What the benchmark measures beside the program.
#     NAME BASE_NAME REGISTRY COMMIT ROLE URL SLEEPS=yes|no workflow.sh   (in the checkout)
set -eu
export AWS_PAGER=
pause() { [ "$SLEEPS" = no ] || sleep "$1"; }

# Credentials and login, as configure-aws-credentials and amazon-ecr-login do.
aws sts get-caller-identity >/dev/null
aws ecr get-login-password | docker login --username AWS --password-stdin "$REGISTRY" >/dev/null

build() { # REPOSITORY TAG DOCKERFILE
    aws ecr describe-repositories --repository-names "$1" >/dev/null || {
        aws ecr create-repository --repository-name "$1" >/dev/null
        aws ecr set-repository-policy --repository-name "$1" --policy-text '{"Version":"2012-10-17","Statement":[{"Sid":"lambda","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]}]}' >/dev/null
    }
    buildx build --quiet --provenance=false --sbom=false --file "$3" --build-arg "BASE_IMAGE=$REGISTRY/$BASE_NAME:3.12" \
        --cache-from "type=registry,ref=$REGISTRY/$1:buildcache" \
        --cache-to "type=registry,ref=$REGISTRY/$1:buildcache,mode=max,image-manifest=true,oci-mediatypes=true" \
        --output "type=image,name=$REGISTRY/$1:$2,push=true" . >/dev/null
}
aws ecr describe-images --repository-name "$BASE_NAME" --image-ids imageTag=3.12 >/dev/null ||
    build "$BASE_NAME" 3.12 Dockerfile.lambda.base
build "$NAME" "$COMMIT" Dockerfile.lambda

if aws lambda get-function --function-name "$NAME" >/dev/null; then
    aws lambda update-function-code --function-name "$NAME" --image-uri "$REGISTRY/$NAME:$COMMIT" >/dev/null
    aws lambda wait function-updated-v2 --function-name "$NAME"
else
    aws lambda create-function --function-name "$NAME" --package-type Image --code "ImageUri=$REGISTRY/$NAME:$COMMIT" \
        --role "$ROLE" --memory-size 1024 --timeout 30 >/dev/null
    aws lambda wait function-active-v2 --function-name "$NAME"
fi

pause 10 # cold start
for try in 1 2 3; do
    if curl -fsS "$URL/health" >/dev/null; then break; fi
    [ "$try" != 3 ] || exit 1
    pause 5
done
for _ in 1 2 3 4 5; do
    curl -fsS "$URL/health" >/dev/null || true
    pause 0.3
done
