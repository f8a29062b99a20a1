"""CloudWatch Logs: what functions wrote, to be read."""

from . import iam, paging
from .endpoint import AwsService
from .errors import AwsError
from .protocols import Json


class Logs(AwsService):
    name = "logs"

    def __init__(self, cloud):
        super().__init__(cloud, Json)
        self.operations = {
            "DescribeLogGroups": self.describe_log_groups,
            "DescribeLogStreams": self.describe_log_streams,
            "GetLogEvents": self.get_log_events,
            "FilterLogEvents": self.filter_log_events,
        }

    def resource(self, operation, parameters):
        return parameters.get("logGroupName")

    def authorize(self, caller, operation, parameters, call):
        group = parameters.get("logGroupName") or "*"
        iam.authorize(
            caller,
            f"logs:{operation}",
            f"arn:aws:logs:{call.region}:{caller.account}:log-group:{group}:*",
        )

    def _group(self, caller, parameters, call):
        group = self.cloud.log_groups.get(
            (caller.account, call.region, parameters.get("logGroupName"))
        )
        if group is None:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        return group

    def describe_log_groups(self, caller, parameters, call):
        prefix = parameters.get("logGroupNamePrefix", "")
        with self.cloud.lock:
            names = sorted(
                name
                for account, region, name in self.cloud.log_groups
                if (account, region) == (caller.account, call.region)
            )
        names = [name for name in names if name.startswith(prefix)]
        shown, token = paging.page(names, parameters.get("nextToken"), parameters.get("limit", 50))
        arn = f"arn:aws:logs:{call.region}:{caller.account}:log-group:"
        return {
            "logGroups": [{"logGroupName": name, "arn": f"{arn}{name}:*"} for name in shown],
            "nextToken": token,
        }

    def describe_log_streams(self, caller, parameters, call):
        group, prefix = self._group(caller, parameters, call), parameters.get(
            "logStreamNamePrefix", ""
        )
        with self.cloud.lock:
            found = [
                {
                    "logStreamName": name,
                    "firstEventTimestamp": events[0][0],
                    "lastEventTimestamp": events[-1][0],
                }
                for name, events in sorted(group.items())
                if events and name.startswith(prefix)
            ]
        if parameters.get("orderBy") == "LastEventTime":
            found.sort(
                key=lambda each: each["lastEventTimestamp"],
                reverse=bool(parameters.get("descending")),
            )
        shown, token = paging.page(found, parameters.get("nextToken"), parameters.get("limit", 50))
        return {"logStreams": shown, "nextToken": token}

    def get_log_events(self, caller, parameters, call):
        group = self._group(caller, parameters, call)
        with self.cloud.lock:
            if parameters.get("logStreamName") not in group:
                raise AwsError(
                    "ResourceNotFoundException", "The specified log stream does not exist."
                )
            events = _between(group[parameters["logStreamName"]], parameters)
        shown, token = paging.page(
            events, parameters.get("nextToken"), parameters.get("limit", 10_000)
        )
        return {
            "events": [_event(*each) for each in shown],
            "nextForwardToken": token or parameters.get("nextToken"),
        }

    def filter_log_events(self, caller, parameters, call):
        group, wanted = self._group(caller, parameters, call), parameters.get(
            "filterPattern", ""
        ).strip('"')
        names = parameters.get("logStreamNames")
        with self.cloud.lock:
            events = [
                {**_event(at, text), "logStreamName": name, "eventId": f"{at}-{index}"}
                for name, several in sorted(group.items())
                if names is None or name in names
                for index, (at, text) in enumerate(_between(several, parameters))
                if wanted in text
            ]
        events.sort(key=lambda each: each["timestamp"])
        shown, token = paging.page(
            events, parameters.get("nextToken"), parameters.get("limit", 10_000)
        )
        return {"events": shown, "nextToken": token}


def _between(events, parameters):
    start, end = parameters.get("startTime", 0), parameters.get("endTime", float("inf"))
    return [each for each in events if start <= each[0] < end]


def _event(at, text):
    return {"timestamp": at, "message": text + "\n", "ingestionTime": at}
