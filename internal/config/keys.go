package config

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/hive-spore/hive"
)

// key is one field of a Config: "queue.max_retries".
type key struct {
	name  string
	env   string // the environment's name for it, or ""
	path  bool   // it is the name of a file or folder
	value reflect.Value
}

var (
	secretType   = reflect.TypeFor[Secret]()
	durationType = reflect.TypeFor[time.Duration]()
	tagsType     = reflect.TypeFor[hive.Tags]()
)

// keys returns every key of c, in the order of the struct.
func (c *Config) keys() []key { return keysOf("", reflect.ValueOf(c).Elem()) }

func keysOf(prefix string, section reflect.Value) []key {
	var keys []key
	for field, value := range section.Fields() {
		if !field.IsExported() {
			continue
		}
		name := prefix + field.Tag.Get("toml")
		if value.Kind() == reflect.Struct {
			keys = append(keys, keysOf(name+".", value)...)
			continue
		}
		keys = append(keys, key{name, field.Tag.Get("env"), field.Tag.Get("is") == "path", value})
	}
	return keys
}

// sections returns the names of the tables that hold keys.
func sections() []string {
	var names []string
	for field := range reflect.TypeFor[Config]().Fields() {
		if field.Type.Kind() == reflect.Struct {
			names = append(names, field.Tag.Get("toml"))
		}
	}
	return names
}

func (k key) secret() bool { return k.value.Type() == secretType }

// set takes a value as TOML has it.
func (k key) set(v any) error {
	switch v := v.(type) {
	case string:
		if k.textual() {
			return k.setText(v)
		}
	case int64:
		return k.setInt(v)
	case bool:
		if k.value.Kind() == reflect.Bool {
			k.value.SetBool(v)
			return nil
		}
	case []any:
		if k.value.Kind() == reflect.Slice {
			return k.setList(v)
		}
	}
	return fmt.Errorf("want %s", k.want())
}

// textual reports whether the value is written as text in TOML.
func (k key) textual() bool {
	return k.value.Kind() == reflect.String || k.value.Type() == durationType || k.value.Type() == tagsType
}

// setInt takes a whole number; of a time, it is seconds.
func (k key) setInt(n int64) error {
	switch {
	case k.value.Type() == durationType:
		return k.setText(strconv.FormatInt(n, 10))
	case k.value.Kind() != reflect.Int:
		return fmt.Errorf("want %s", k.want())
	}
	k.value.SetInt(n)
	return nil
}

func (k key) setList(items []any) error {
	texts := make([]string, len(items))
	for i, item := range items {
		s, ok := item.(string)
		if !ok {
			return fmt.Errorf("want %s", k.want())
		}
		texts[i] = s
	}
	if len(texts) == 0 {
		texts = nil // as in Default
	}
	k.value.Set(reflect.ValueOf(texts))
	return nil
}

// setText takes a value as the environment has it.
func (k key) setText(s string) error {
	switch k.value.Interface().(type) {
	case string, Secret:
		k.value.SetString(s)
	case bool:
		return k.setBool(s)
	case int:
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("%.80q is not a whole number", s)
		}
		k.value.SetInt(int64(n))
	case time.Duration:
		d, err := parseDuration(s)
		if err != nil {
			return err
		}
		k.value.SetInt(int64(d))
	case hive.Tags:
		tags, err := hive.ParseTags(s)
		if err != nil {
			return err
		}
		k.value.Set(reflect.ValueOf(tags))
	default:
		return fmt.Errorf("want %s", k.want())
	}
	return nil
}

func (k key) setBool(s string) error {
	switch strings.ToLower(s) {
	case "true", "1", "yes":
		k.value.SetBool(true)
	case "false", "0", "no":
		k.value.SetBool(false)
	default:
		return fmt.Errorf("%.80q is neither true nor false", s)
	}
	return nil
}

// parseDuration reads plain seconds ("300") and Go durations ("5m").
func parseDuration(s string) (time.Duration, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		if n > int64(maxDuration/time.Second) || n < -int64(maxDuration/time.Second) {
			return 0, fmt.Errorf("%.40q is too long a time", s)
		}
		return time.Duration(n) * time.Second, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%.80q is not a time; write 300 (seconds), 300s or 5m", s)
	}
	return d, nil
}

const maxDuration = 1<<63 - 1

// want says in words what values the key takes in TOML.
func (k key) want() string {
	switch k.value.Interface().(type) {
	case bool:
		return "true or false"
	case int:
		return "a whole number"
	case time.Duration:
		return `a time such as "300s" or 300 (seconds)`
	case hive.Tags:
		return `tags such as "gpu=true,zone=eu"`
	case []string:
		return `a list such as ["a", "b"]`
	}
	return "text in quotes"
}

// beside has relative paths begin at a folder: a path, or those in a list of
// NAME=DIR.
func (k key) beside(folder string) {
	from := func(path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(folder, path)
	}
	switch v := k.value.Interface().(type) {
	case string:
		k.value.SetString(from(v))
	case []string:
		for i, item := range v {
			if name, dir, ok := strings.Cut(item, "="); ok {
				v[i] = name + "=" + from(dir)
			}
		}
	}
}
