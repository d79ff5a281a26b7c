# Varnish as a cache in front of smooth-origin: /etc/varnish/default.vcl.
#
# Varnish 6.0 or newer, without further modules. docs/deploy.md says why each rule is as it is, and e2e/deploy/check.py tries them.
vcl 4.1;

import std;

backend origin {
    .host = "127.0.0.1";
    .port = "8080";
    .connect_timeout = 2s;
    # Longer than `opening-timeout`.
    .first_byte_timeout = 40s;
    .between_bytes_timeout = 20s;
    .probe = {
        .url = "/readyz";
        .interval = 1s;
        .timeout = 1s;
        .window = 4;
        .threshold = 2;
        .initial = 2;
    }
}

# Those who may purge.
acl trusted {
    "127.0.0.1";
    "::1";
}

sub vcl_recv {
    # Probes, metrics and the page are for the operator, who asks `serve` itself. Encoded letters of the path make it another one
    # for the origin as well.
    if (req.url ~ "^(?:[a-zA-Z]+://[^/]*)?/(?:(?:healthz|readyz|metrics)(?:\?|$)|-(?:[/?]|$))") {
        return (synth(404, "Not Found"));
    }
    if (req.method == "PURGE") {
        if (client.ip !~ trusted) {
            return (synth(405, "Not allowed"));
        }
        # PURGE with `Surrogate-Key: films/a.ism` forgets all of a presentation, without it the object of the URL.
        if (req.http.Surrogate-Key) {
            if (req.http.Surrogate-Key !~ "^[!#-\[\]-~]+$") {
                return (synth(400, "One key, percent-encoded as the origin sends it"));
            }
            ban("obj.http.Surrogate-Key == " + req.http.Surrogate-Key);
            return (synth(204, "Purged"));
        }
    } elsif (req.method != "GET" && req.method != "HEAD" && req.method != "OPTIONS") {
        return (synth(405, "Method Not Allowed"));
    }

    # One copy per path. Of a query, the options alone: with them the server gives a part of a manifest or refuses
    # (415). Any other query (tokens, times against caches) changes nothing.
    if (req.url ~ "\?" && req.url !~ "(?i)[?&](?:filter|aws\.manifestfilter|aws\.manifestsettings|vbegin|vend|start|end|delay|time_delay)=[^&]"
        && req.url !~ "(?i)[?&]t=[^&]*\d{4}-\d\d-\d\d") {
        set req.url = regsub(req.url, "\?.*$", "");
    }
    # Some clients and proxies encode what others do not.
    if (req.url ~ "(?i)%(?:28|29|2c|3d)") {
        set req.url = regsuball(req.url, "%28", "(");
        set req.url = regsuball(req.url, "%29", ")");
        set req.url = regsuball(req.url, "(?i)%2c", ",");
        set req.url = regsuball(req.url, "(?i)%3d", "=");
    }
    # The origin does not look at these, and Varnish would not keep what was requested with them.
    unset req.http.Cookie;
    unset req.http.Authorization;

    if (req.method == "PURGE") {
        return (purge);
    }
    if (req.method == "OPTIONS") {
        return (pass);
    }
    # All sites may play. If `serve` has a list (--allow-origin), remove this line: its responses vary by `Origin` then.
    unset req.http.Origin;

    # Whole files of media pass, because a seek would wait for all that is before it. The headers of DASH and HLS
    # (`video-800000/init.mp4`) are small, and every player asks for them.
    if (req.url ~ "(?i)\.(?:mp4|m4a|m4v|mov|mp3|webm|ismv|isma)$" && req.url !~ "/init\.mp4$") {
        return (pass);
    }

    # What is stale is sent for a minute while it is asked for, and as long as there is if the origin is down.
    if (req.restarts == 0) {
        unset req.http.X-Stale;
        if (std.healthy(req.backend_hint)) {
            set req.grace = 60s;
        }
    } else {
        set req.grace = 7d;
    }
    return (hash);
}

# By the path alone: not by `Host`.
sub vcl_hash {
    hash_data(req.url);
    return (lookup);
}

sub vcl_backend_response {
    if (beresp.status >= 500) {
        # Does not take the place of what is stale.
        if (bereq.is_bgfetch || !bereq.http.X-Stale) {
            return (abandon);
        }
        set beresp.ttl = 0s;
        set beresp.grace = 0s;
        set beresp.uncacheable = true;
        return (deliver);
    }
    if (beresp.status >= 400) {
        # Varnish itself keeps 404 and 410 alone.
        if (beresp.http.Cache-Control ~ "max-age=\d+") {
            set beresp.ttl = std.duration(regsub(beresp.http.Cache-Control, "^.*max-age=(\d+).*$", "\1s"), 0s);
        }
        set beresp.grace = 0s;
        set beresp.keep = 0s;
    } else if (beresp.ttl <= 2s) {
        # What goes on: a stale manifest of a live event would have players a minute behind.
        set beresp.grace = 0s;
    } else {
        set beresp.grace = 7d;
    }
}

sub vcl_backend_error {
    if (bereq.is_bgfetch || !bereq.http.X-Stale) {
        return (abandon);
    }
}

sub vcl_synth {
    # The origin failed: once more, for what is stale.
    if (resp.status == 503 && req.restarts == 0 && (req.method == "GET" || req.method == "HEAD")) {
        set req.http.X-Stale = "yes";
        return (restart);
    }
}

sub vcl_deliver {
    if (obj.uncacheable) {
        set resp.http.X-Cache = "PASS";
    } elsif (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
    } else {
        set resp.http.X-Cache = "MISS";
    }
}
