//go:build wasip1

// What a skill of the Hive asks of its host, by the names of docs/abi.md. It
// belongs beside the skill's own files, one of which has
//
//	func run(input []byte) ([]byte, error)
//
// That is called once for each attempt and answers the result, or why there is
// none. An error is tried again later, one made by Permanent is not.
//
// It needs the standard library only, and a module imports what its skill calls.
// Everything but input, output, failures and Task needs a grant in skill.toml.
// A space is the name of keys that skills share; "" is the skill's own.
//
// All attempts begin with the same memory, that of a program which has started
// and was warmed up. So the functions of math/rand and math/rand/v2, the order of
// maps, and what a package keeps in variables are the same in each: use Rand or
// crypto/rand. time.Now tells the time. Whatever run leaves behind is gone, and
// goroutines stop where they are when it returns.
//
// Names that begin with hive or host are for this file only.
//
// Code that calls nothing of this file can be tested by go test; this one is only
// there in the sandbox.
package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// The host's functions. A string is a pointer and a length to it.

//go:wasmimport hive input_read
func hostInputRead(to unsafe.Pointer, size, offset uint32) int32

//go:wasmimport hive output_write
func hostOutputWrite(bytes string) int32

//go:wasmimport hive fail
func hostFail(message string, flags uint32)

//go:wasmimport hive answer_read
func hostAnswerRead(to unsafe.Pointer, size, offset uint32) int32

//go:wasmimport hive task
func hostTask() int32

//go:wasmimport hive log
func hostLog(level uint32, text string) int32

//go:wasmimport hive kv_get
func hostKVGet(space, key string) int32

//go:wasmimport hive kv_set
func hostKVSet(space, key, value string, ttl uint32) int32

//go:wasmimport hive kv_delete
func hostKVDelete(space, key string) int32

//go:wasmimport hive kv_incr
func hostKVIncr(space, key string, delta int64) int32

//go:wasmimport hive kv_cas
func hostKVCAS(space, key, old, value string, flags uint32) int32

//go:wasmimport hive kv_list
func hostKVList(space, prefix, after string, limit uint32) int32

//go:wasmimport hive spawn
func hostSpawn(skill, payload string) int32

//go:wasmimport hive emit
func hostEmit(part string) int32

//go:wasmimport hive progress
func hostProgress(done, total uint32, text string) int32

//go:wasmimport hive http
func hostHTTP(head, body string) int32

//go:wasmimport hive secret
func hostSecret(name string) int32

//go:wasmimport hive file_read
func hostFileRead(path string, offset int64, limit uint32) int32

//go:wasmimport hive file_list
func hostFileList(path string) int32

//go:wasmimport hive clock
func hostClock() int32

//go:wasmimport hive random
func hostRandom(to unsafe.Pointer, size uint32) int32

//go:wasmimport wasi_snapshot_preview1 random_get
func wasiRandomGet(to unsafe.Pointer, size uint32) uint32

// Why the host did not do what it was asked for. They are found by errors.Is in
// what the functions here return.
var (
	ErrDenied      = errors.New("denied (see grants and [allow] in skill.toml, and what the spore gives)")
	ErrInvalid     = errors.New("invalid") // an argument means nothing to the host
	ErrAbsent      = errors.New("absent")  // no such key, secret, file or folder
	ErrFull        = errors.New("full")    // the attempt asked for too much
	ErrUnavailable = errors.New("unavailable")
)

// HostError is the error of every function here.
type HostError struct {
	Func string // its name in docs/abi.md
	Err  error  // one of those above
	Why  string // of ErrUnavailable, and of ErrDenied by http, what the host says
}

func (e *HostError) Error() string {
	text := e.Func + ": " + e.Err.Error()
	if e.Why != "" {
		text += ": " + e.Why
	}
	return text
}

func (e *HostError) Unwrap() error { return e.Err }

// hiveMaxReason bounds what the host says of an error, in bytes.
const hiveMaxReason = 2 << 10

// hiveCheck returns the error that a host's answer stands for, if it is one.
func hiveCheck(name string, n int32) error {
	switch n {
	case -2:
		return &HostError{name, ErrDenied, string(hiveReadAnswer(hiveMaxReason))}
	case -3:
		return &HostError{name, ErrInvalid, ""}
	case -4:
		return &HostError{name, ErrAbsent, ""}
	case -5:
		return &HostError{name, ErrFull, ""}
	case -6:
		return &HostError{name, ErrUnavailable, string(hiveReadAnswer(hiveMaxReason))}
	}
	if n < 0 {
		return &HostError{name, errors.New("error " + strconv.Itoa(int(n))), ""}
	}
	return nil
}

// hiveReadAnswer returns at most size bytes of what the last call answered.
func hiveReadAnswer(size int32) []byte {
	b := make([]byte, size)
	n := hostAnswerRead(unsafe.Pointer(unsafe.SliceData(b)), uint32(size), 0)
	return b[:max(n, 0)]
}

// hiveAnswer returns the bytes of an answer of n, which are never nil.
func hiveAnswer(name string, n int32) ([]byte, error) {
	if err := hiveCheck(name, n); err != nil {
		return nil, err
	}
	return hiveReadAnswer(n), nil
}

// hiveNumber returns the number of an answer of eight bytes.
func hiveNumber(name string, n int32) (int64, error) {
	b, err := hiveAnswer(name, n)
	if err == nil && len(b) != 8 {
		err = &HostError{name, errors.New("no number"), ""}
	}
	if err != nil {
		return 0, err
	}
	return int64(binary.LittleEndian.Uint64(b)), nil
}

// hiveLines returns the names of an answer, each with a newline behind it.
func hiveLines(name string, n int32) ([]string, error) {
	b, err := hiveAnswer(name, n)
	if err != nil || len(b) == 0 {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n"), nil
}

// hiveText returns bytes as the host is given them. They are not copied.
func hiveText(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// hiveUint32 returns n as the host counts, or as much as it can.
func hiveUint32(n int) uint32 { return uint32(min(max(n, 0), math.MaxUint32)) }

// A reactor has no main, but Go wants one: run is called instead.
func main() {}

//go:wasmexport hive_run
func hiveRun(size uint32) int32 {
	defer hivePanic()
	input := make([]byte, size)
	hostInputRead(unsafe.Pointer(unsafe.SliceData(input)), size, 0)
	output, err := run(input) // to be written: func run(input []byte) ([]byte, error)
	if err != nil {
		hiveFail(err)
		return 1
	}
	Output(output)
	return 0
}

// hivePanic tells the message of a panic. It goes on, and says in the log where
// it was.
func hivePanic() {
	p := recover()
	switch p := p.(type) {
	case nil:
		return
	case error:
		hostFail("panic: "+p.Error(), 0)
	case string:
		hostFail("panic: "+p, 0)
	case interface{ String() string }:
		hostFail("panic: "+p.String(), 0)
	default:
		hostFail("panic, see the log", 0)
	}
	panic(p)
}

// hiveFlagPermanent in fail says that another attempt would only fail again.
const hiveFlagPermanent = 1

func hiveFail(err error) {
	var flags uint32
	var after *hiveAfter
	if errors.As(err, &after) {
		flags = after.seconds << 8
	}
	var p *hivePermanent
	if errors.As(err, &p) {
		flags |= hiveFlagPermanent
	}
	hostFail(err.Error(), flags)
}

type hivePermanent struct{ error }

func (p *hivePermanent) Unwrap() error { return p.error }

// Permanent returns err as one that another attempt would only meet again: the
// task is not tried any more. Errors may wrap it.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &hivePermanent{err}
}

type hiveAfter struct {
	error
	seconds uint32
}

func (a *hiveAfter) Unwrap() error { return a.error }

// RetryAfter returns err as one after which the next attempt is to wait for d, in whole
// seconds, rounded up, and not as long as the task says. Errors may wrap it.
func RetryAfter(err error, d time.Duration) error {
	if err == nil || d <= 0 {
		return err
	}
	return &hiveAfter{err, uint32(min((d+time.Second-1)/time.Second, 1<<24-1))}
}

// Output appends to the result, before what run returns.
func Output(b []byte) {
	// The host refuses memory that is not there only, and ends an attempt whose
	// result is too large.
	hostOutputWrite(hiveText(b))
}

// TaskInfo is the task that an attempt works on, and where.
type TaskInfo struct {
	ID       string            `json:"id"`
	Attempt  int               `json:"attempt"`  // from 1
	Skill    string            `json:"skill"`    // name@version
	Digest   string            `json:"digest"`   // of the program
	Deadline time.Time         `json:"deadline"` // zero: there is none
	Spore    string            `json:"spore"`
	Tags     map[string]string `json:"tags"` // of the spore
}

// Task returns what the attempt works on. In the warm-up call it is nothing that
// matters.
func Task() (TaskInfo, error) {
	var info TaskInfo
	b, err := hiveAnswer("task", hostTask())
	if err == nil {
		err = json.Unmarshal(b, &info)
	}
	return info, err
}

// Level says how much an entry of the log matters.
type Level uint32

// The levels.
const (
	LevelDebug Level = iota
	LevelInfo
	LevelWarn
	LevelError
)

// Log adds an entry of at most 4 KiB to the log. That it was denied is seldom
// worth a look. What is printed to os.Stdout and os.Stderr is there as well, and
// needs no grant.
func Log(level Level, entry string) error {
	return hiveCheck("log", hostLog(uint32(level), entry))
}

// KVGet returns the value of a key.
func KVGet(space, key string) ([]byte, error) {
	return hiveAnswer("kv_get", hostKVGet(space, key))
}

// KVSet sets a key to at most 64 KiB. After ttl, in whole seconds, it is gone; 0:
// it stays.
func KVSet(space, key string, value []byte, ttl time.Duration) error {
	if ttl < 0 {
		return &HostError{"kv_set", ErrInvalid, ""}
	}
	seconds := ttl / time.Second
	if ttl%time.Second > 0 { // what lasts less than a second must not stay
		seconds++
	}
	return hiveCheck("kv_set", hostKVSet(space, key, hiveText(value), hiveUint32(int(seconds))))
}

// KVDelete deletes a key.
func KVDelete(space, key string) error {
	return hiveCheck("kv_delete", hostKVDelete(space, key))
}

// KVIncr adds to the number that a key holds, 0 if there is none, and returns
// what it would be now.
func KVIncr(space, key string, delta int64) (int64, error) {
	return hiveNumber("kv_incr", hostKVIncr(space, key, delta))
}

// Flags of kv_cas.
const (
	hiveCASAbsent = 1
	hiveCASDelete = 2
)

// KVCAS sets a key to value if it holds old, and reports whether it did. An old
// of nil: the key must be absent; a value of nil: it is deleted.
func KVCAS(space, key string, old, value []byte) (bool, error) {
	var flags uint32
	if old == nil {
		flags |= hiveCASAbsent
	}
	if value == nil {
		flags |= hiveCASDelete
	}
	n := hostKVCAS(space, key, hiveText(old), hiveText(value), flags)
	return n == 1, hiveCheck("kv_cas", n)
}

// hiveMaxKeys is the most that one call of KVList answers.
const hiveMaxKeys = 1000

// KVList returns at most limit keys, up to 1,000, that begin with prefix and come
// after after. KVKeys returns all.
func KVList(space, prefix, after string, limit int) ([]string, error) {
	return hiveLines("kv_list", hostKVList(space, prefix, after, hiveUint32(limit)))
}

// KVKeys returns all keys that begin with prefix, asking for one page after the
// other.
func KVKeys(space, prefix string) ([]string, error) {
	var keys []string
	for after := ""; ; after = keys[len(keys)-1] {
		page, err := KVList(space, prefix, after, hiveMaxKeys)
		if err != nil || len(page) == 0 {
			return keys, err
		}
		keys = append(keys, page...)
	}
}

// Spawn asks for a task of a skill, name or name@version, and returns its id. It
// is there when this attempt has completed.
func Spawn(skill string, payload []byte) (string, error) {
	id, err := hiveAnswer("spawn", hostSpawn(skill, hiveText(payload)))
	return string(id), err
}

// Emit gives a part of the result, at most 64 KiB, to who watches the task.
func Emit(part []byte) error { return hiveCheck("emit", hostEmit(hiveText(part))) }

// Progress says how far the attempt is: done of total, 0 if nobody knows.
func Progress(done, total int, what string) error {
	return hiveCheck("progress", hostProgress(hiveUint32(done), hiveUint32(total), what))
}

// Header is one line of a request's or a response's head.
type Header struct{ Name, Value string }

// Request is an HTTP request.
type Request struct {
	Method  string // "": GET, or POST with a body
	URL     string
	Headers []Header
	Body    []byte
}

// Response is the answer to one, whatever its status.
type Response struct {
	Status  int
	Headers []Header // names in lower case
	Body    []byte
}

// Header returns the first value of a header, or "".
func (r *Response) Header(name string) string {
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// HTTP makes a request, each time that the task is tried.
func HTTP(r Request) (*Response, error) {
	head, ok := r.head()
	if !ok {
		return nil, &HostError{"http", ErrInvalid, ""}
	}
	b, err := hiveAnswer("http", hostHTTP(head, hiveText(r.Body)))
	if err != nil {
		return nil, err
	}
	return hiveResponse(b)
}

// head returns the request's head as the host reads it. A line that would be two
// is no header.
func (r *Request) head() (head string, ok bool) {
	method := r.Method
	switch {
	case method == "" && len(r.Body) == 0:
		method = "GET"
	case method == "":
		method = "POST"
	}
	ok = !strings.ContainsAny(method, " \r\n") && !strings.ContainsAny(r.URL, "\r\n")
	head = method + " " + r.URL + "\n"
	for _, h := range r.Headers {
		ok = ok && !strings.ContainsAny(h.Name, ":\r\n") && !strings.ContainsAny(h.Value, "\r\n")
		head += h.Name + ": " + h.Value + "\n"
	}
	return head, ok
}

func hiveResponse(b []byte) (*Response, error) {
	head, body, _ := strings.Cut(hiveText(b), "\n\n")
	status, fields, _ := strings.Cut(head, "\n")
	r := &Response{Body: []byte(body)}
	for line := range strings.Lines(fields) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			r.Headers = append(r.Headers, Header{name, strings.TrimSpace(value)})
		}
	}
	var err error
	if r.Status, err = strconv.Atoi(strings.TrimSpace(status)); err != nil {
		return nil, &HostError{"http", errors.New("no status"), ""}
	}
	return r, nil
}

// Secret returns what the spore keeps under a name.
func Secret(name string) (string, error) {
	b, err := hiveAnswer("secret", hostSecret(name))
	return string(b), err
}

// hiveMaxPart is the most that one call of FileRead answers, in bytes.
const hiveMaxPart = 1 << 20

// FileRead returns at most limit bytes, up to 1 MiB, of a file, FOLDER/PATH, from
// offset on; none at its end. File returns all.
func FileRead(path string, offset int64, limit int) ([]byte, error) {
	return hiveAnswer("file_read", hostFileRead(path, offset, hiveUint32(limit)))
}

// File returns a file as a whole.
func File(path string) ([]byte, error) {
	var content []byte
	for {
		part, err := FileRead(path, int64(len(content)), hiveMaxPart)
		if err != nil || len(part) == 0 {
			return content, err
		}
		content = append(content, part...)
	}
}

// FileList returns the names in a folder, sorted; folders end in /.
func FileList(path string) ([]string, error) {
	return hiveLines("file_list", hostFileList(path))
}

// Clock returns the time.
func Clock() (time.Time, error) {
	n, err := hiveNumber("clock", hostClock())
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(0, n), nil
}

// hiveMaxRandom is the most that the host gives at once, in bytes.
const hiveMaxRandom = 64 << 10

// Random fills b with random bytes.
func Random(b []byte) error {
	for len(b) > 0 {
		part := b[:min(len(b), hiveMaxRandom)]
		if err := hiveCheck("random", hostRandom(unsafe.Pointer(unsafe.SliceData(part)), uint32(len(part)))); err != nil {
			return err
		}
		b = b[len(part):]
	}
	return nil
}

// Rand returns a generator that is seeded now, and needs no grant. Call it in
// run: in a variable of a package it would be the same in each attempt.
func Rand() *rand.Rand {
	var seed [32]byte
	if errno := wasiRandomGet(unsafe.Pointer(&seed), uint32(len(seed))); errno != 0 {
		panic("no random bytes: error " + strconv.Itoa(int(errno)))
	}
	return rand.New(rand.NewChaCha8(seed))
}
