"""Tokens of what code is kept, built and published with."""

from __future__ import annotations

from typing import Final

from penstock.detect import checks, secrecy
from penstock.detect.shipped.token import HEX, URL, WORD, exact, token
from penstock.detect.value import Detector

FORGES: Final = (
    Detector(
        "github_token",
        "GITHUB_TOKEN",
        r"(?<![0-9A-Za-z])(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{22})",
        check=checks.not_placeholder,
        until=r"(?![0-9A-Za-z_])",
        confidence=0.98,
        kind="secret",
        what="GitHub token, classic or fine-grained",
    ),
    Detector(
        "gitlab_token",
        "GITLAB_TOKEN",
        r"(?<![0-9A-Za-z])(?:gl(?:pat|dt|rt|ptt|soat|cbt|ft|imt|agent|oas|ffct)|GR1348941)-?(?<=-"
        r"|GR1348941)[0-9A-Za-z_-]{20}",
        check=checks.not_placeholder,
        until=r"(?![0-9A-Za-z_-]|\.[0-9A-Za-z_-])",
        confidence=0.97,
        kind="secret",
        what="GitLab token of any kind",
    ),
    token("bitbucket_token", "Bitbucket app password or access token", "ATBB|ATCTT3", "0-9A-Za-z_=-", 28),
    token("atlassian_token", "Atlassian API token", "ATATT3", "0-9A-Za-z_=-", 60),
    token("npm_token", "npm token", "npm_", WORD, 36),
    token("pypi_token", "PyPI token", "pypi-", URL, 50),
    token("rubygems_key", "RubyGems key", "rubygems_", HEX, 48),
    token("docker_token", "Docker Hub token", "dckr_(?:pat|oat)_", URL, 24),
    token("nuget_key", "NuGet key", "oy2", "0-9a-z", 43),
    token("cargo_token", "crates.io token", "cio", WORD, 32, check=secrecy.numbered, confidence=0.85),
    token("clojars_token", "Clojars token", "CLOJARS_", "0-9a-z", 60),
    token("artifactory_key", "Artifactory key or reference token", "AKCp|cmVmd", WORD, 59),
    exact("circleci_token", "CircleCI token", "CCIP(?:AT|RJ)_[0-9A-Za-z]{22}_[0-9a-f]{40}"),
    token("sonar_token", "SonarQube token", "sq[apu]_", HEX, 40),
    token("sourcegraph_token", "Sourcegraph token", "sgp_(?:[0-9a-f]{16}_|local_)?|slk_[0-9a-f]{24}", HEX, 40),
    token("buildkite_token", "Buildkite token", "bk[a-z]{2,3}_", "0-9A-Za-z", 40),
    token("postman_key", "Postman key", "PMAK-[0-9a-f]{24}-", HEX, 34),
    token("figma_token", "Figma token", "fig(?:d|p|[uo][rh]?)_", URL, 38),
    token("linear_key", "Linear key", "lin_api_|lin_oauth_", WORD, 40),
    token("notion_token", "Notion token", "ntn_|secret_", WORD, 43),
    exact("airtable_token", "Airtable token", r"pat[0-9A-Za-z]{14}\.[0-9a-f]{64}"),
    token("launchdarkly_key", "LaunchDarkly key", "(?:sdk|mob|api)-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}", HEX, 12),
    token("contentful_token", "Contentful token", "CFPAT-", URL, 43),
    token("readme_key", "ReadMe key", "rdme_", "0-9a-z", 70),
    exact("asana_token", "Asana token", "[0-2]/[0-9]{13,19}(?:/[0-9]{13,19})?:[0-9A-Za-z]{32}"),
    exact("clickup_token", "ClickUp token", "pk_[0-9]{7,9}_[0-9A-Z]{32}"),
    token("typeform_token", "Typeform token", "tfp_", URL, 40),
    token("frameio_token", "Frame.io token", "fio-u-", "0-9A-Za-z_=-", 60),
)
