package sdk_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// host answers the calls of a guest by their texts, and writes them down.
type host struct {
	calls  []string
	answer []byte
}

type hostKey struct{}

// shapes are the functions that need a host, with a letter for each parameter: a
// text (s), a buffer to fill (b), a number (i) or one of 64 bits (l).
var shapes = map[string]string{
	"answer_read": "bi", "task": "", "log": "is", "kv_get": "ss", "kv_set": "sssi", "kv_delete": "ss", "kv_incr": "ssl",
	"kv_cas": "ssssi", "kv_list": "sssi", "spawn": "ss", "emit": "s", "progress": "iis", "http": "ss", "secret": "s",
	"file_read": "sli", "file_list": "s", "clock": "", "random": "b",
}

// unavailable is the answer -6 with its reason.
type unavailable string

// answers holds bytes, numbers and reasons by the texts of calls. A call that is
// not here means nothing: -3.
var answers = map[string]any{
	`task`: `{"id":"0190-é\u0026","attempt":2,"skill":"kitchen@1.0.0","digest":"sha256:00","later":{"a":"}"},` +
		`"deadline":"2026-01-02T03:04:05Z","spore":"spore-1","tags":{"gpu":"true","zone":"eu"}}`,
	`log 2 "zażółć"`:                             0,
	`kv_set "totals" "a" "one" 60`:               0,
	`kv_set "" "" "nothing" 0`:                   -3,
	`kv_get "totals" "a"`:                        "one",
	`kv_get "" "missing"`:                        -4,
	`kv_delete "" "a"`:                           0,
	`kv_incr "" "n" -5000000000`:                 eight(-5_000_000_001),
	`kv_cas "" "a" "old" "new" 0`:                1,
	`kv_cas "" "a" "" "new" 1`:                   0,
	`kv_cas "" "a" "new" "" 2`:                   1,
	`kv_list "" "p" "p1" 2`:                      "p2\np3\n",
	`kv_list "" "p" "" 1000`:                     "p1\np2\n",
	`kv_list "" "p" "p2" 1000`:                   "p3\n",
	`kv_list "" "p" "p3" 1000`:                   "",
	`spawn "summarize@1.2.0" "text"`:             "0190-0",
	`spawn "other" ""`:                           -2,
	`emit "part"`:                                0,
	`emit "too much"`:                            -5,
	`progress 1 3 "one of three"`:                0,
	`secret "TOKEN"`:                             "s3cret",
	`secret "MISSING"`:                           -4,
	`file_read "models/a.txt" 4294967296 8`:      "contents",
	`file_read "models/b.txt" 0 1048576`:         "three ",
	`file_read "models/b.txt" 6 1048576`:         "bees",
	`file_read "models/b.txt" 10 1048576`:        "",
	`file_list "models"`:                         "a.txt\nb/\n",
	`clock`:                                      eight(1_700_000_000_123_456_789),
	`file_read "models/big.bin" 0 1048576`:       strings.Repeat("b", 1<<20),
	`file_read "models/big.bin" 1048576 1048576`: "queen",
	`file_read "models/big.bin" 1048581 1048576`: "",
	`random 65536`:                               0,
	`random 34464`:                               0,
	`random 4`:                                   0,
	`random 8`:                                   0,
	`http "POST https://example.com/v1\ncontent-type: text/plain\nx-bee: 1\n" "honey"`: "201\ncontent-type: text/html; a=b\nx-time: 10:30\n\nbees\n\nqueen",
	`http "GET https://empty.example\n" ""`:                                            "204\n\n",
	`http "GET https://denied.example\n" ""`:                                           -2,
	`http "GET https://down.example\n" ""`:                                             unavailable("no answer from down.example"),
}

func eight(n int64) string { return string(binary.LittleEndian.AppendUint64(nil, uint64(n))) }

// add adds the host's functions to module hive.
func add(b wazero.HostModuleBuilder) wazero.HostModuleBuilder {
	for name, shape := range shapes {
		var params []api.ValueType
		for _, c := range shape {
			switch c {
			case 'l':
				params = append(params, api.ValueTypeI64)
			case 'i':
				params = append(params, api.ValueTypeI32)
			default:
				params = append(params, api.ValueTypeI32, api.ValueTypeI32)
			}
		}
		call := func(ctx context.Context, m api.Module, stack []uint64) {
			h, _ := ctx.Value(hostKey{}).(*host)
			stack[0] = uint64(uint32(h.call(name, shape, m.Memory(), stack)))
		}
		b = b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(call), params, []api.ValueType{api.ValueTypeI32}).Export(name)
	}
	return b
}

// call reads a call's parameters, writes it down and answers it.
func (h *host) call(name, shape string, memory api.Memory, params []uint64) int32 {
	if h == nil { // while the guest is started
		return -2
	}
	var buffer []byte
	text, offset := []string{name}, uint32(0)
	for _, c := range shape {
		switch c {
		case 'i':
			offset = uint32(params[0])
			text = append(text, fmt.Sprint(offset))
			params = params[1:]
		case 'l':
			text = append(text, fmt.Sprint(int64(params[0])))
			params = params[1:]
		default:
			bytes, ok := memory.Read(uint32(params[0]), uint32(params[1]))
			switch {
			case !ok:
				return -1
			case c == 's':
				text = append(text, fmt.Sprintf("%q", bytes))
			default:
				buffer, text = bytes, append(text, fmt.Sprint(len(bytes)))
			}
			params = params[2:]
		}
	}
	if name == "answer_read" {
		return int32(copy(buffer, h.answer[min(int(offset), len(h.answer)):]))
	}
	for i := range buffer {
		buffer[i] = byte(i + 1)
	}
	return h.reply(strings.Join(text, " "))
}

func (h *host) reply(call string) int32 {
	h.calls, h.answer = append(h.calls, call), nil
	switch a := answers[call].(type) {
	case int:
		return int32(a)
	case string:
		h.answer = []byte(a)
		return int32(len(a))
	case unavailable:
		h.answer = []byte(a)
		return -6
	}
	return -3
}
