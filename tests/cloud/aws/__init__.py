"""The local cloud's AWS endpoint: Lambda, ECR, STS, CloudWatch Logs, an OIDC issuer and a registry
front.

It refuses what AWS refuses; tests/cloud/README.md is its manual. Where things are:

  __main__      options, start, end
  house         all services and their host names
  server        HTTP/1.1 over TLS, one thread a connection; nothing of AWS
  certificates  a certificate for any host name, from the throw-away CA
  endpoint      host name -> service; journal, latency and faults around every request
  protocols     how each service reads requests and writes answers and errors
  models        requests against botocore's service models
  signature     Signature Version 4, recomputed by botocore's own signer
  iam           policies
  cloud         all state, one lock
  sts oidc ecr registry downloads lambda_ aliases invocations logs url    the services
  repositories functions    ECR's and Lambda's records
  configuration what may stand in a function's configuration
  images        what Lambda wants of an image
  storage       the real registry behind ECR
  environments runtime docker              containers that run functions
  control       the control port
  clock settings faults journal paging hosts errors    small helpers
  tests         what needs neither an engine nor a registry: tests/cloud/test_aws.py runs it
"""
