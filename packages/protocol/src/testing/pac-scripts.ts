/**
 * PAC scripts as companies write them, and the functions they call, written for Node's own engine: what our evaluator
 * is compared with. The functions are told `dnsAnswer` and `myAddress` by whoever runs them.
 */
export const PAC_REFERENCE = String.raw`
var result;
function isPlainHostName(host) { return host.indexOf('.') < 0 && host.indexOf(':') < 0; }
function dnsDomainIs(host, domain) {
  return host.length >= domain.length && host.substring(host.length - domain.length) === domain;
}
function localHostOrDomainIs(host, hostdom) { return host === hostdom || hostdom.lastIndexOf(host + '.', 0) === 0; }
function dnsDomainLevels(host) { return host.split('.').length - 1; }
function isIp4(text) {
  var m = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  return m !== null && m.slice(1).every(function (n) { return Number(n) < 256; });
}
function dnsResolve(host) {
  if (isIp4(host)) return host;
  var answer = dnsAnswer(host);
  return answer !== null && isIp4(answer) ? answer : null;
}
function isResolvable(host) { return dnsResolve(host) !== null; }
function convert_addr(text) {
  var b = text.split('.');
  return ((b[0] & 255) << 24) | ((b[1] & 255) << 16) | ((b[2] & 255) << 8) | (b[3] & 255);
}
function isInNet(host, pattern, mask) {
  var ip = dnsResolve(host);
  if (ip === null || !isIp4(pattern) || !isIp4(mask)) return false;
  return (convert_addr(ip) & convert_addr(mask)) === (convert_addr(pattern) & convert_addr(mask));
}
function myIpAddress() { return myAddress; }
function shExpMatch(text, pattern) {
  var source = pattern.replace(/\./g, '\\.').replace(/\*/g, '.*').replace(/\?/g, '.');
  return new RegExp('^' + source + '$').test(text);
}
function alert() {}
function weekdayRange() { return true; }
function timeRange() { return true; }
function dateRange() { return true; }
`;

/** One script. */
export interface PacScript {
  readonly name: string;
  readonly script: string;
}

const manyHosts = Array.from({ length: 1500 }, (_, at) => `host${at}.corp.example`);

/** Scripts of the kinds that are met. */
export const REAL_SCRIPTS: readonly PacScript[] = [
  {
    name: 'a proxy and nothing else',
    script: 'function FindProxyForURL(url, host) { return "PROXY proxy.corp:8080"; }',
  },
  {
    name: 'local names directly, the rest through two proxies',
    script: `
function FindProxyForURL(url, host)
{
  // our own servers
  if (isPlainHostName(host) || dnsDomainIs(host, ".corp.example") || shExpMatch(host, "*.local"))
    return "DIRECT";
  return "PROXY p1.corp:8080; PROXY p2.corp:8080; DIRECT";
}`,
  },
  {
    name: 'networks, after the name was resolved once',
    script: `
function FindProxyForURL(url, host) {
  var resolved = dnsResolve(host);
  if (resolved == null) return "PROXY unresolved:3128";
  if (isInNet(resolved, "10.0.0.0", "255.0.0.0") ||
      isInNet(resolved, "172.16.0.0",  "255.240.0.0") ||
      isInNet(resolved, "192.168.0.0", "255.255.0.0") ||
      isInNet(resolved, "127.0.0.0", "255.255.255.0")) {
    return "DIRECT";
  }
  return "PROXY outside:3128";
}`,
  },
  {
    name: 'by the network one sits in',
    script: `
function FindProxyForURL(url, host) {
  var me = myIpAddress();
  if (isInNet(me, "10.9.0.0", "255.255.0.0")) { return "PROXY berlin:8080"; }
  else if (isInNet(me, "10.8.0.0", "255.255.0.0")) { return "PROXY paris:8080"; }
  else { return "DIRECT"; }
}`,
  },
  {
    name: 'a table of suffixes, gone through with a loop',
    script: `
var direct = ["corp.example", "intranet.local", "partner.net"];
var i;
function endsWith(text, suffix) { return text.indexOf(suffix, text.length - suffix.length) !== -1; }
function FindProxyForURL(url, host) {
  host = host.toLowerCase();
  for (i = 0; i < direct.length; i++) {
    if (host === direct[i] || endsWith(host, "." + direct[i])) return "DIRECT";
  }
  return "HTTPS secure.corp:443; PROXY plain.corp:3128";
}`,
  },
  {
    name: 'a hash table, looked up label by label',
    script: `
var blocked = { "google.com": 1, "microsoftonline.com": 2, "example.org": 1 };
var hasOwnProperty = Object.hasOwnProperty;
function FindProxyForURL(url, host) {
  var suffix;
  var pos = host.lastIndexOf('.');
  pos = host.lastIndexOf('.', pos - 1);
  while (1) {
    if (pos <= 0) {
      if (hasOwnProperty.call(blocked, host)) return 'SOCKS5 127.0.0.1:1080';
      return 'DIRECT';
    }
    suffix = host.substring(pos + 1);
    if (hasOwnProperty.call(blocked, suffix)) return 'SOCKS5 127.0.0.1:1080;';
    pos = host.lastIndexOf('.', pos - 1);
  }
}`,
  },
  {
    name: 'regular expressions',
    script: `
var PRIVATE = /^(?:10|127|172\\.(?:1[6-9]|2[0-9]|3[01])|192\\.168)\\..*/;
var cloud = new RegExp("(^|\\\\.)(google|microsoftonline)\\\\.com$", "i");
function FindProxyForURL(url, host) {
  if (PRIVATE.test(host)) return "DIRECT";
  if (cloud.test(host)) return "PROXY cloud:8080";
  var m = url.match(/^(\\w+):\\/\\/([^\\/:]+)(?::(\\d+))?/);
  if (m && m[3] && parseInt(m[3], 10) >= 5985) return "PROXY winrm-" + m[1] + ":" + m[3];
  return "PROXY other:8080";
}`,
  },
  {
    name: 'proxies shared out by a checksum of the name',
    script: `
var proxies = new Array("PROXY a:80", "PROXY b:80", "PROXY c:80");
function hash(s) { var h = 0; for (var i = 0; i < s.length; i++) { h = (h * 31 + s.charCodeAt(i)) & 0x7fffffff; } return h; }
function FindProxyForURL(url, host) {
  var first = hash(host) % proxies.length, list = [];
  for (var i = 0; i < proxies.length; i++) list.push(proxies[(first + i) % proxies.length]);
  return list.join("; ");
}`,
  },
  {
    name: 'the last number of one’s own address decides',
    script: `
function FindProxyForURL(url, host) {
  var parts = myIpAddress().split(".");
  var ret = (parts[3] % 2 == 0) ? "PROXY even:80; PROXY odd:80" : "PROXY odd:80; PROXY even:80";
  if (url.substring(0, 6) == "https:" && dnsDomainLevels(host) > 3) ret = "PROXY deep:80";
  return ret;
}`,
  },
  {
    name: 'switch on the scheme and the top-level domain',
    script: `
function FindProxyForURL(url, host) {
  var tld = host.substr(host.lastIndexOf(".") + 1);
  switch (tld) {
    case "local": case "corp": return "DIRECT";
    case "com": { var r = "PROXY com:80"; break; }
    case "org": r = "PROXY org:80";
    default: r = (r || "PROXY default:80") + "; DIRECT";
  }
  return r;
}`,
  },
  {
    name: 'today’s JavaScript',
    script: `
'use strict';
const RULES = [
  { match: ['.corp.example', '.intranet.local'], via: 'DIRECT' },
  { match: ['.google.com', '.microsoftonline.com'], via: 'PROXY cloud.corp:8080' },
];
const names = new Set(['localhost', 'www']);
const FindProxyForURL = (url, host) => {
  if (names.has(host)) return 'DIRECT';
  for (const { match, via } of RULES) {
    if (match.some((suffix) => host.endsWith(suffix))) return via;
  }
  const [first = '', ...rest] = host.split('.');
  return \`PROXY \${rest.length > 0 ? rest[rest.length - 1] : 'none'}-\${first.length}:8080\`;
};`,
  },
  {
    name: 'a try around what old browsers lack',
    script: `
function FindProxyForURL(url, host) {
  try {
    if (typeof isInNetEx === 'function' && host.indexOf(':') > -1) return "PROXY six:80";
    if (typeof vendorResolve == "undefined") throw { code: 7 };
  } catch (e) {
    var code = e.code;
  } finally {
    var done = true;
  }
  return done && code === 7 ? "PROXY caught:80" : "DIRECT";
}`,
  },
  {
    name: 'closures and a self-calling function',
    script: `
var FindProxyForURL = (function () {
  var rules = [];
  function add(pattern, proxy) { rules.push(function (host) { return shExpMatch(host, pattern) ? proxy : null; }); }
  add("*.partner.net", "PROXY partner:80");
  add("(*.google.com|*.example.org)", "PROXY web:80");
  add("10.*", "DIRECT");
  return function (url, host) {
    for (var k in rules) { var r = rules[k](host); if (r) return r; }
    return "PROXY last:80";
  };
})();`,
  },
  {
    name: 'objects with prototypes',
    script: `
function Rule(test, proxy) { this.test = test; this.proxy = proxy; }
Rule.prototype.constructor = Rule;
Rule.prototype.apply = function (host) { return this.test(host) && this.proxy; };
var rules = [
  new Rule(isPlainHostName, "DIRECT"),
  new Rule(function (h) { return /^\\d+(\\.\\d+){3}$/.test(h); }, "PROXY ip:80"),
  new Rule(function () { return true; }, "PROXY any:80")
];
function FindProxyForURL(url, host) {
  var found = false;
  for (var i = 0; !found && i < rules.length; i += 1) found = rules[i].apply(host);
  return found;
}`,
  },
  {
    name: 'a variable forgotten in front',
    script: `
function FindProxyForURL(url, host) {
  lhost = host.toLowerCase();
  proxy_on = "PROXY p:8080";
  if ((lhost == "localhost") || (shExpMatch(lhost, "localhost.*")) || (lhost == "127.0.0.1")) return "DIRECT";
  if (isInNet(host, "10.0.0.0", "255.0.0.0")) proxy_on = "DIRECT";
  return proxy_on;
}`,
  },
  {
    name: 'HTML comments, as scripts once had',
    script: `<!-- old browsers
function FindProxyForURL(url, host) {
  return shExpMatch(url, "https:*") ? "PROXY s:1" : "PROXY h:1";
}
-->`,
  },
  {
    name: 'replace and split to take the URL apart',
    script: `
function FindProxyForURL(url, host) {
  var noScheme = url.replace(/^[a-z]+:\\/\\//i, "").split("/")[0];
  var port = noScheme.indexOf(":") > 0 ? noScheme.split(":").pop() : "443";
  return "PROXY port" + port.replace(/(\\d)(\\d)/, "$2$1") + ":80";
}`,
  },
  {
    name: 'an else-if for each of fifteen hundred hosts',
    script: `function FindProxyForURL(url, host) {\n${manyHosts
      .map((host, at) => `  ${at === 0 ? '' : 'else '}if (host == "${host}") return "PROXY p${at}:80";`)
      .join('\n')}\n  return "DIRECT";\n}`,
  },
  {
    name: 'one condition with fifteen hundred terms',
    script: `function FindProxyForURL(url, host) { if (${manyHosts
      .map((host) => `dnsDomainIs(host, "${host}")`)
      .join(' ||\n ')} || host == "a.b") return "PROXY x:80"; return "DIRECT"; }`,
  },
  {
    name: 'null when it knows nothing',
    script: 'function FindProxyForURL(url, host) { if (isResolvable(host)) return "PROXY r:1"; return null; }',
  },
  {
    name: 'what a minifier leaves',
    script:
      '!function(){}();var a=0,b="PROXY ",FindProxyForURL=function(c,d){var e=d.split("."),f=e.length;return f>2?(a++,b+"y"+e[f-2]+":1"):f<2?"DIRECT":void 0===e[1]?b+"n:1":b+(~e[0].indexOf("w")?"w":"x")+":2"};',
  },
  {
    name: 'comparisons of addresses as numbers',
    script: `
function FindProxyForURL(url, host) {
  var ip = dnsResolve(host);
  if (!ip) return "PROXY none:1";
  var n = convert_addr(ip) >>> 0;
  if (n >= 167772160 && n <= 184549375) return "DIRECT";
  return "PROXY n" + (n % 7) + ":1; PROXY " + ip + ":2";
}`,
  },
  {
    name: 'labels, do-while and continue',
    script: `
function FindProxyForURL(url, host) {
  var words = host.split("."), i = 0, n = 0;
  scan: do {
    for (var j = 0; j < words[i].length; j++) {
      var c = words[i].charAt(j);
      if (c >= "0" && c <= "9") continue scan;
      if (c === "z") break scan;
      n += j;
    }
  } while (++i < words.length);
  return "PROXY n" + n + ":" + (i + 1);
}`,
  },
  {
    name: 'array methods and sorting',
    script: `
function FindProxyForURL(url, host) {
  var list = host.split(".").filter(function (w) { return w.length > 1; }).map(function (w) { return w.toUpperCase(); });
  list.sort(function (a, b) { return b.length - a.length || (a < b ? -1 : 1); });
  return list.length ? "PROXY x" + list.slice(0, 2).join("-") + ":" + list.reduce(function (s, w) { return s + w.length; }, 0) : "DIRECT";
}`,
  },
  {
    name: 'time, which is the same everywhere',
    script: `
function FindProxyForURL(url, host) {
  if (weekdayRange("MON", "SUN") && timeRange(0, 23) && dateRange(1, 31)) return "PROXY always:1";
  return "DIRECT";
}`,
  },
];
