/**
 * How servers that are not written in JavaScript are started, for files and for scripts: each with its access log as the
 * case wants it, keeping connections alive as long as it can, and otherwise as it is.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Setting, Start } from "./contender.ts";
import { BENCH, DOCUMENTS, SCRIPTS, tool, which, WORK } from "./work.ts";

/** Started as root, these give it up. */
const USER = process.getuid?.() === 0 ? "www-data" : null;

/** nginx: files, or scripts through fcgiwrap. */
export function nginx(
  { port, folder, log }: Setting,
  { cached = false, scripts = false }: { readonly cached?: boolean; readonly scripts?: boolean } = {},
): Start {
  const conf = `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
${USER === null ? "" : `user ${USER} ${USER};`}
events { worker_connections 4096; }
http {
  access_log ${log ? `${folder}/access.log` : "off"};
  sendfile on;
  tcp_nopush on;
  ${cached ? "open_file_cache max=1000 inactive=60s;" : ""}
  keepalive_requests 100000000;
  types { text/html html; text/javascript js; application/octet-stream bin; }
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_max_body_size 0;
  server {
    listen 127.0.0.1:${port};
    root ${DOCUMENTS};
    ${scripts ? viaFcgiwrap(folder) : ""}
  }
}
`;
  const run = "exec nginx -e stderr -c $0/nginx.conf";
  // Its children may not open the socket before it is there.
  const first = 'fcgiwrap -c 8 -s "unix:$0/cgi.sock" & until [ -S "$0/cgi.sock" ]; do sleep 0.05; done; ' +
    'chmod 666 "$0/cgi.sock"; ';
  return { argv: ["sh", "-c", scripts ? first + run : run, folder], files: { "nginx.conf": conf } };
}

function viaFcgiwrap(folder: string): string {
  return `location /cgi-bin/ {
      fastcgi_pass unix:${folder}/cgi.sock;
      fastcgi_param SCRIPT_FILENAME ${DOCUMENTS}$fastcgi_script_name;
      include /etc/nginx/fastcgi_params;
    }`;
}

/** lighttpd: files and scripts. `streaming`: bodies go through as they come; it keeps them whole else. */
export function lighttpd(
  { port, folder, log }: Setting,
  { streaming = false }: { readonly streaming?: boolean } = {},
): Start {
  const conf = `server.document-root = "${DOCUMENTS}"
server.bind = "127.0.0.1"
server.port = ${port}
server.modules = ("mod_cgi"${log ? ', "mod_accesslog"' : ""})
server.upload-dirs = ("${folder}")
server.max-keep-alive-requests = 1000000
server.max-connections = 4096
server.max-fds = 8192
mimetype.assign = (".html" => "text/html", ".js" => "text/javascript", ".bin" => "application/octet-stream")
$HTTP["url"] =~ "^/cgi-bin/" { cgi.assign = ("" => "") }
${log ? `accesslog.filename = "${folder}/access.log"` : ""}
${streaming ? "server.stream-request-body = 1\nserver.stream-response-body = 1" : ""}
`;
  return { argv: ["lighttpd", "-D", "-f", join(folder, "lighttpd.conf")], files: { "lighttpd.conf": conf } };
}

/** Apache with one of its ways to have processes and threads. */
export function apache({ port, folder, log }: Setting, mpm: "event" | "prefork"): Start {
  const modules = "/usr/lib/apache2/modules";
  const cgi = mpm === "event" ? "cgid" : "cgi";
  const conf = `ServerRoot "${folder}"
ServerName localhost
Listen 127.0.0.1:${port}
PidFile "${folder}/apache.pid"
ErrorLog "${folder}/error.log"
${USER === null ? "" : `User ${USER}\nGroup ${USER}`}
LoadModule mpm_${mpm}_module "${modules}/mod_mpm_${mpm}.so"
LoadModule authz_core_module "${modules}/mod_authz_core.so"
LoadModule mime_module "${modules}/mod_mime.so"
LoadModule ${cgi}_module "${modules}/mod_${cgi}.so"
${mpm === "event" ? `ScriptSock "${folder}/cgid.sock"` : ""}
EnableSendfile On
MaxKeepAliveRequests 0
TypesConfig /etc/mime.types
${log ? `CustomLog "${folder}/access.log" "%h %l %u %t \\"%r\\" %>s %b"` : ""}
DocumentRoot "${DOCUMENTS}"
<Directory "${DOCUMENTS}">
  Require all granted
</Directory>
<Directory "${SCRIPTS}">
  Options +ExecCGI
  SetHandler cgi-script
</Directory>
`;
  return {
    argv: ["apache2", "-DFOREGROUND", "-f", join(folder, "apache.conf")],
    files: { "apache.conf": conf },
  };
}

/** Caddy: files. */
export function caddy({ port, folder, log }: Setting): Start {
  const conf = `{
  admin off
  auto_https off
  log {
    level ERROR
  }
}
http://127.0.0.1:${port} {
  root * ${DOCUMENTS}
  file_server
  ${log ? `log {\n    output file ${folder}/access.log\n    level INFO\n  }` : ""}
}
`;
  return {
    argv: ["caddy", "run", "--adapter", "caddyfile", "--config", join(folder, "Caddyfile")],
    files: { Caddyfile: conf },
    env: { XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
  };
}

/** BusyBox: files and scripts. It has no access log but a verbose mode. */
export function busybox({ port, log }: Setting): Start {
  const verbose = log ? ["-vv"] : [];
  return { argv: ["busybox", "httpd", "-f", ...verbose, "-p", `127.0.0.1:${port}`, "-h", DOCUMENTS] };
}

/** The usual Go program around `net/http`: files and scripts. */
export function go({ port }: Setting): Start {
  const source = join(BENCH, "servers/go/main.go");
  const program = tool("go-server");
  if (!existsSync(program) || statSync(source).mtimeMs > statSync(program).mtimeMs) {
    execFileSync(which("go")!, ["build", "-o", program, source], {
      env: { ...process.env, GO111MODULE: "off", GOCACHE: join(WORK, "go") },
    });
  }
  return { argv: [program, `127.0.0.1:${port}`, DOCUMENTS, SCRIPTS] };
}

/** Python's own command line. Its access log cannot be switched off: it goes to nowhere. */
export function python({ port, log }: Setting, flags: readonly string[]): Start {
  const args = ["-m", "http.server", "--bind", "127.0.0.1", "--directory", DOCUMENTS, ...flags, String(port)];
  return {
    argv: log ? ["python3", ...args] : ["sh", "-c", 'exec python3 "$@" 2>/dev/null', "sh", ...args],
  };
}
