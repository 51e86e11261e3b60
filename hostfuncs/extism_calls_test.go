package hostfuncs

import (
	"strings"
	"testing"

	"github.com/hive-spore/hive"
)

func TestExtismConfig(t *testing.T) {
	p := newPlugin(t, ExtismOptions{Config: map[string]string{"who": "bees", "empty": "", "": "nobody"}})
	for key, want := range map[string]string{"who": "bees", "empty": "", "other": "", "": "nobody"} {
		block := p.text(key)
		value := p.call("config_get", block)
		if got := p.textAt(value); got != want || (value == 0) != (want == "") {
			t.Errorf("config_get(%q) is %q at %d, want %q", key, got, value, want)
		}
		p.wantCall(0, "length", block)
	}
	p.wantFault("config_get: no block of memory at 99", "config_get", 99)
	p.wantCall(0, "config_get", p.call("alloc", 2*maxVars))
}

func TestExtismVars(t *testing.T) {
	p := newPlugin(t, ExtismOptions{})
	want := func(key, value string) {
		t.Helper()
		if got := p.textAt(p.call("var_get", p.text(key))); got != value {
			t.Errorf("var_get(%q) is %q, want %q", key, got, value)
		}
	}
	set := func(key, value string) { t.Helper(); p.call("var_set", p.text(key), p.text(value)) }
	want("n", "")
	set("n", "one")
	set("n", "eleven")
	set("m", "two")
	want("n", "eleven")
	want("m", "two")
	p.call("var_set", p.text("n"), 0)
	want("n", "")
	p.call("var_set", p.text("m"), 0)
	if p.attempt.Extism.varBytes != 0 {
		t.Errorf("%d bytes of variables are left when all are forgotten", p.attempt.Extism.varBytes)
	}
	p.wantFault("no block", "var_get", far)
	p.wantFault("no block", "var_set", far, 0)
	p.wantFault("no block", "var_set", p.text("n"), far)
	p.call("var_set", p.text("n"), p.call("alloc", maxVars-varCost-1))
	p.call("var_set", p.text("n"), p.call("alloc", maxVars-varCost-1))
	p.wantFault("more than 1048576 bytes", "var_set", p.text("n"), p.call("alloc", maxVars-varCost))
	p.wantFault("more than 1048576 bytes", "var_set", p.text("m"), p.text("x"))
	p.wantFault("more than 1048576 bytes", "var_set", p.text("m"), p.call("alloc", 2*maxVars))
	p.wantFault("more than 1048576 bytes", "var_set", p.call("alloc", 2*maxVars), p.text("x"))
}

func TestExtismLog(t *testing.T) {
	p := newPlugin(t, ExtismOptions{}, hive.GrantLog)
	p.wantCall(0, "get_log_level")
	for _, level := range []string{"trace", "debug", "info", "warn", "error"} {
		block := p.text("hello " + level + "\n")
		p.call("log_"+level, block)
		p.wantCall(0, "length", block)
		if got, want := p.log.String(), level+": hello "+level+"\n"; got != want {
			t.Errorf("log_%s wrote %q, want %q", level, got, want)
		}
		p.log.Reset()
	}
	p.call("log_info", 0)
	p.call("log_info", p.text(strings.Repeat("é", maxLine)))
	if want := "info: \ninfo: " + strings.Repeat("é", maxLine/2-2) + "…\n"; p.log.String() != want {
		t.Errorf("an empty and a long entry are %.30q", &p.log)
	}
	p.wantFault("log_warn: no block of memory at 77", "log_warn", 77)

	p = newPlugin(t, ExtismOptions{}, hive.GrantHTTP)
	p.wantCall(logOff, "get_log_level")
	block := p.text("nobody hears it")
	p.call("log_error", block)
	p.call("log_error", far)
	p.wantCall(0, "length", block)
	if p.log.Len() > 0 {
		t.Errorf("without the grant the log is %q", &p.log)
	}
}

func TestExtismHTTP(t *testing.T) {
	const request = `{"url": "http://bees.test/", "method": "GET"}`
	p := newPlugin(t, ExtismOptions{}, hive.GrantLog)
	p.wantFault(`HTTP request to "http://bees.test/" is not allowed: the grant http is missing`, "http_request", p.text(request), 0)
	p.wantFault("http_request: unexpected end", "http_request", 0, 0)
	p.wantFault("http_request: invalid character", "http_request", p.call("alloc", 100<<20), far)
	p.wantFault("no block", "http_request", far, far)
	p.wantCall(0, "http_status_code")
	p.wantCall(0, "http_headers")
	p = newPlugin(t, ExtismOptions{}, hive.GrantHTTP)
	p.wantFault(": this spore has no HTTP", "http_request", p.text(request), 0)
}

// TestExtismHTTPAsks a server, by the rules of the grant.
func TestExtismHTTPAsks(t *testing.T) {
	url, host := serve(t, echo)
	p := newPlugin(t, ExtismOptions{}, hive.GrantHTTP)
	p.attempt.Allow.HTTP, p.attempt.HTTP = []string{host}, NewHTTP(HTTPOptions{Private: loopback})
	p.attempt.Record = hive.MaxRecording
	request := `{"url": "` + url + `/v1", "method": "POST", "headers": {"X-Bee": "a b"}}`
	body := p.call("http_request", p.text(request), p.text("honey"))
	if got := p.textAt(body); got != "POST /v1 hive honey" {
		t.Errorf("body %q", got)
	}
	p.wantCall(200, "http_status_code")
	const headers = `{"content-length":"19","content-type":"text/plain","x-told":"\"a b\" \"\" \"\""}`
	if got := p.textAt(p.call("http_headers")); got != headers {
		t.Errorf("headers %s, want %s", got, headers)
	}
	p.wantFault("is not allowed: example.com:443: the skill's manifest does not allow it", "http_request", p.text(`{"url":"https://example.com"}`), 0)
	p.wantCall(0, "http_status_code")
	p.wantFault("it is none", "http_request", p.text(`{"url":"`+url+`","method":"TRACE"}`), 0)
	for _, q := range []string{`{"url":"` + url + `\nauthorization: b"}`, `{"url":"` + url + `","method":"GET /\n"}`, `{"url":"` + url + `","headers":{"a":"b\nc: d"}}`} {
		p.wantFault("control characters in it", "http_request", p.text(q), 0)
	}
	p.wantFault("is no header's name", "http_request", p.text(`{"url":"`+url+`","headers":{"a: b\nc":"d"}}`), 0)
	if n := p.attempt.Denied()["http_request"]; n != 1 {
		t.Errorf("denied %d times, want 1", n)
	}

	// What was recorded of it is told again without the server.
	replay := newPlugin(t, ExtismOptions{}, hive.GrantHTTP)
	replay.attempt.Replay = read(t, p.attempt.Recording(recorded)).Replay(false)
	if got := replay.textAt(replay.call("http_request", replay.text(request), replay.text("honey"))); got != "POST /v1 hive honey" {
		t.Errorf("replayed body %q", got)
	}
}
