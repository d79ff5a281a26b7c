#!/usr/bin/env python3
"""`deploy/cloudfront.json` against the model of CloudFront's API, and against what the server does.

    cloudfront.py [target/release/examples/serve]

botocore checks the names, types and required members of each part, without a network, as it does before it sends a request. What
it does not check is checked here: counts, words out of closed lists, identifiers, and limits that CloudFront documents.
"""

import copy
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import botocore.session
from botocore.validate import ParamValidator

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
checked = 0


def check(right, message):
    global checked
    checked += 1
    assert right, message


def faults(service, config):
    """What botocore finds wrong with the parameters of the three requests."""
    requests = {
        "CreateCachePolicy": {"CachePolicyConfig": config["CachePolicyConfig"]},
        "CreateOriginRequestPolicy": {"OriginRequestPolicyConfig": config["OriginRequestPolicyConfig"]},
        "CreateDistribution": {"DistributionConfig": config["DistributionConfig"]},
    }
    found = []
    for name, parameters in requests.items():
        shape = service.operation_model(name).input_shape
        report = ParamValidator().validate(parameters, shape).generate_report()
        found += report.splitlines()
        found += words(shape, parameters, name)
    return found + list(counts(config, ""))


def words(shape, value, place):
    """Values that are not in the list of an enumeration, which botocore leaves to the service."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if name in value:
                yield from words(member, value[name], f"{place}.{name}")
    elif shape.type_name == "list":
        for number, item in enumerate(value):
            yield from words(shape.member, item, f"{place}[{number}]")
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield f"{place}: {value!r} is none of {shape.enum}"


def counts(value, place):
    """`Quantity` is the number of `Items`."""
    if isinstance(value, dict):
        if "Quantity" in value and value["Quantity"] != len(value.get("Items", [])):
            yield f"{place}: Quantity {value['Quantity']} of {len(value.get('Items', []))} items"
        for name, member in value.items():
            yield from counts(member, f"{place}.{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from counts(item, f"{place}[{number}]")


def judge_judges(service, config):
    """Deliberate faults are found."""
    for path, value in (
        ("CachePolicyConfig.MinTTL", "0"),
        ("CachePolicyConfig.NoSuchMember", 1),
        ("DistributionConfig.Origins.Quantity", 2),
        ("DistributionConfig.DefaultCacheBehavior.ViewerProtocolPolicy", "all"),
        ("DistributionConfig.CacheTagConfig", {}),
        ("DistributionConfig.Enabled", None),
    ):
        broken = copy.deepcopy(config)
        *parents, name = path.split(".")
        part = broken
        for parent in parents:
            part = part[parent]
        part[name] = value
        check(faults(service, broken), f"{path} = {value!r} is not noticed")


def consistency(config):
    distribution = config["DistributionConfig"]
    behaviour = distribution["DefaultCacheBehavior"]
    check(behaviour["TargetOriginId"] in [origin["Id"] for origin in distribution["Origins"]["Items"]], "the origin of the behaviour")
    check(behaviour["SmoothStreaming"] is False, "CloudFront would cut the files itself")
    for part in ("CachePolicyConfig", "OriginRequestPolicyConfig"):
        check(len(config[part]["Comment"]) <= 128, f"{part}: a comment of more than 128 characters")
    strings = config["CachePolicyConfig"]["ParametersInCacheKeyAndForwardedToOrigin"]["QueryStringsConfig"]["QueryStrings"]
    check(strings["Quantity"] <= 10, "CloudFront allows ten query strings in a policy")
    # nginx.conf and varnish.vcl know the same options.
    for file in ("nginx.conf", "varnish.vcl"):
        text = (DEPLOY / file).read_text()
        for name in strings["Items"]:
            check(name.replace(".", "\\.") in text, f"{file} does not know {name}")


def times(config, binary):
    """A failure is never kept for longer than the origin says because of a minimum here."""
    printed = subprocess.run([binary, "--config", DEPLOY / "serve.toml", "--print-config"], capture_output=True, text=True, check=True)
    values = tomllib.loads(printed.stdout)
    classes = {400: "malformed", 403: "refused", 404: "not-found", 500: "broken", 503: "busy"}
    for response in config["DistributionConfig"]["CustomErrorResponses"]["Items"]:
        control = values["cache-control"].get(classes.get(response["ErrorCode"], ""), "")
        age = int((re.search(r"max-age=(\d+)", control) or [0, 0])[1])
        least = response["ErrorCachingMinTTL"]
        check(least <= age or not control and least <= 1, f"{response}: the origin says {control!r}")
    header = config["DistributionConfig"]["CacheTagConfig"]["HeaderName"]
    check(header.lower() == values["surrogate-key"], "the header of the tags")


def main():
    config = json.loads((DEPLOY / "cloudfront.json").read_text())
    service = botocore.session.Session().get_service_model("cloudfront")
    found = faults(service, config)
    check(not found, "\n".join(found))
    judge_judges(service, config)
    consistency(config)
    binary = sys.argv[1] if len(sys.argv) > 1 else "target/release/examples/serve"
    check(os.access(binary, os.X_OK), f"{binary} is not there")
    times(config, binary)
    batch = {"Paths": {"Quantity": 1, "Items": ["#films/a.ism"]}, "CallerReference": "1"}
    shape = service.operation_model("CreateInvalidation").input_shape
    report = ParamValidator().validate({"DistributionId": "E1", "InvalidationBatch": batch}, shape).generate_report()
    check(not report, report)
    print(f"CloudFront, API of {service.api_version}, botocore {botocore.__version__}: no fault; {checked} checks")


if __name__ == "__main__":
    main()
