"""What a file is, by its name and its content: other programs keep files of the same names."""

from __future__ import annotations

import time

import pytest

from advisor.collect import classify
from advisor.formats.nginx import scan


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("nginx.conf", "nginx"),
        ("x/app.vhost", "nginx"),
        ("etc/nginx/sites-available/www.example.com", "nginx"),
        ("etc/nginx/mime.types", "nginx"),
        ("sites-enabled/default", "nginx"),
        ("sites-available/readme.md", None),
        ("nginx/deploy.sh", None),
        ("nginx/site.conf.bak", None),
        ("nginx/.htpasswd", None),
        ("src/main", None),
        ("sysctl.conf", "sysctl"),
        ("etc/sysctl.d/10-net.conf", "sysctl"),
        ("etc/sysctl.d/README", None),
        ("packages/release-sysctl.conf", "sysctl"),
        ("kept/web-7.json", "snapshot"),
    ],
)
def test_names_say_what_is_worth_opening(path: str, kind: str | None) -> None:
    *folders, name = path.split("/")
    assert classify.worth(name, folders) == kind


@pytest.mark.parametrize("name", ["nginx.conf.j2", "nginx.tmpl", "sysctl.conf.erb", "default.conf.template"])
def test_templates_of_such_files_are_known_by_their_ending(name: str) -> None:
    assert classify.is_template(name, [])


@pytest.mark.parametrize("name", ["index.html.j2", "nginx.conf", "Dockerfile.tmpl"])
def test_other_templates_are_nobodys_business(name: str) -> None:
    assert not classify.is_template(name, ["app"])


NGINX = {
    "a server": "server { listen 80; }",
    "a main file": "user www;\nevents {}\nhttp { include x; }",
    "an upstream": "upstream a { server 10.0.0.1; }",
    "a snippet": "ssl_protocols TLSv1.2;\nssl_ciphers HIGH;",
    "a map": "map $a $b { default 0; x 1; }",
    "words of another module": "brotli on;\nbrotli_comp_level 6;\nserver_tokens off;",
    "Lua": "server { location / { content_by_lua_block { ngx.say('}') } } }",
}
OTHERS = {
    "dhcpd": "option domain-name 'x';\nsubnet 10.0.0.0 netmask 255.0.0.0 { range 10.0.0.1 10.0.0.9; }",
    "bind": 'include "/etc/bind/named.conf.options";\ninclude "/etc/bind/named.conf.local";',
    "bird": "router id 10.0.0.1;\nprotocol bgp a { local as 1; neighbor 10.0.0.2 as 2; }",
    "php-fpm": "[www]\nuser = www-data\n;listen.backlog = 511\nlisten = /run/x.sock\n;",
    "nothing": "",
    "comments": "# nothing here\n",
}


@pytest.mark.parametrize("text", NGINX.values(), ids=NGINX)
def test_nginx_is_known_by_its_words(text: str) -> None:
    assert classify.is_nginx(scan(text.encode(), "x"), hint=False)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_others_are_told_from_it(text: str) -> None:
    assert not classify.is_nginx(scan(text.encode(), "x"), hint=False)


def test_words_that_others_have_too_need_a_name_or_folder_that_speaks_of_nginx() -> None:
    statements = scan(b"allow 10.0.0.0/8; deny all;", "x")
    assert not classify.is_nginx(statements, hint=False)
    assert classify.is_nginx(statements, hint=True)


BROKEN = {
    "a semicolon is missing": "events {}\nhttp {\n  sendfile on\n  server {\n    listen 80;\n  }\n}",
    "a block is open": "server {\n  listen 80;\n  server_name a;\n  location / {\n  root /srv;\n}",
    "a template": "http {\n  keepalive_timeout {{ keepalive }};\n  sendfile on;\n  server { listen 80; }\n}",
}
NEVER_MEANT = {
    "Apache": "<VirtualHost *:80>\n  ServerName a\n  DocumentRoot /srv\n  Include x.conf\n</VirtualHost>",
    "supervisord": "[program:nginx]\ncommand=nginx -g 'daemon off;'\nautostart=true\nuser=root\n",
    "limits.d": "nginx soft nofile 65535\nnginx hard nofile 65535\n",
    "fail2ban": "[Definition]\nfailregex = ^.*limiting requests, excess: <HOST>'\nignoreregex =\n",
    "systemd": "[Service]\nLimitNOFILE=65535\nExecStart=\n",
    "haproxy": "global\n  daemon\n  user haproxy\nlisten stats\n  server a 10.0.0.1:80 check\n  server b 10.0.0.2",
    "logrotate": "/var/log/nginx/*.log {\n  daily\n  rotate 7\n  postrotate\n    kill -USR1 1\n  endscript\n}",
    "php-fpm": "[www]\nuser = www-data\ngroup = www-data\nlisten = '/run/x.sock\n",
    "monit": "check process nginx with pidfile /run/nginx.pid\n  start program = '/usr/sbin/service nginx start'\n",
    "freeradius": "server default {\n  listen {\n    type = auth\n  }\n  authorize {\n    preprocess\n  }\n}",
}


@pytest.mark.parametrize("hint", [True, False])
@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_was_meant_for_nginx_is_known_though_it_is_broken(text: str, *, hint: bool) -> None:
    assert classify.meant_as_nginx(text.encode(), hint=hint)


@pytest.mark.parametrize("hint", [True, False])
@pytest.mark.parametrize("text", NEVER_MEANT.values(), ids=NEVER_MEANT)
def test_what_was_meant_for_another_is_not_taken_for_broken(text: str, *, hint: bool) -> None:
    assert not classify.meant_as_nginx(text.encode(), hint=hint)


@pytest.mark.parametrize("text", ["http {", "events { }\nhttp { server { listen 80 } }", "server { listen 80;"])
def test_a_configuration_that_is_cut_off_is_known_by_one_statement(text: str) -> None:
    assert classify.meant_as_nginx(text.encode(), hint=True, configuration=True)


def test_a_script_in_a_folder_of_nginx_s_is_not_taken_for_broken() -> None:
    script = "set -e;\nmkdir -p /srv\nif [ -f x ]; then\n  cp x /srv\nfi\nexec nginx -g 'daemon off;'\n"
    assert not classify.meant_as_nginx(script.encode(), hint=True)
    assert not classify.meant_as_nginx(b"#!/bin/sh\nroot /srv;\n", hint=True, configuration=True)
    assert classify.worth("nginx.diff", ["nginx"]) is None


@pytest.mark.parametrize(
    "text", ["net.core.somaxconn = 4096\n# x\n", "-net.ipv4.tcp_*\nnet/ipv4/tcp_sack=1", "a.b=1\nx"]
)
def test_half_of_the_lines_of_a_sysctl_file_set_one(text: str) -> None:
    assert classify.is_sysctl(text.encode())


@pytest.mark.parametrize("text", ["", "# nothing", "[main]\ninclude=x\n[sysctl]\nvm.swappiness=1\n", "server { }"])
def test_other_files_do_not(text: str) -> None:
    assert not classify.is_sysctl(text.encode())


def test_a_template_is_seen_but_not_in_a_comment() -> None:
    assert classify.template_line(b"a.b = 1\nc.d = {{ x }}\n") == 2
    assert classify.template_line(b"# {{ managed }}\n; <% x %>\na.b = 1\n") is None


def test_a_long_line_costs_little() -> None:
    begun = time.process_time()
    classify.meant_as_nginx(b"server " + b" " * 10_000_000 + b"#" * 10_000_000, hint=True)
    classify.template_line(b"{" * 1_000_000)
    assert time.process_time() - begun < 0.5
