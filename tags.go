package hive

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var (
	tagKey   = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,62}$`)
	tagValue = regexp.MustCompile(`^[A-Za-z0-9._-]{1,63}$`)
)

// Tags are what a spore offers: gpu=true, zone=eu.
type Tags map[string]string

// ParseTags reads "key=value,key=value"; a bare key means key=true.
func ParseTags(s string) (Tags, error) {
	tags := Tags{}
	if strings.TrimSpace(s) == "" {
		return tags, nil
	}
	for item := range strings.SplitSeq(s, ",") {
		key, value, given := strings.Cut(strings.TrimSpace(item), "=")
		if !given {
			value = "true"
		}
		if err := checkTag(key, value); err != nil {
			return nil, err
		}
		if _, twice := tags[key]; twice {
			return nil, fmt.Errorf("tag %q: given twice", key)
		}
		tags[key] = value
	}
	return tags, nil
}

// Validate reports the first tag, by key, that cannot be one.
func (t Tags) Validate() error {
	for _, key := range slices.Sorted(maps.Keys(t)) {
		if err := checkTag(key, t[key]); err != nil {
			return err
		}
	}
	return nil
}

// String returns the tags as ParseTags reads them, sorted by key.
func (t Tags) String() string {
	items := make([]string, 0, len(t))
	for _, key := range slices.Sorted(maps.Keys(t)) {
		items = append(items, key+"="+t[key])
	}
	return strings.Join(items, ",")
}

func checkTag(key, value string) error {
	if !tagKey.MatchString(key) {
		return fmt.Errorf("tag key %.80q: want 1 to 63 of a-z, 0-9, '_', '.' and '-', beginning with a letter", key)
	}
	if !tagValue.MatchString(value) {
		return fmt.Errorf("tag %s: value %.80q: want 1 to 63 letters, digits, '.', '_' and '-'", key, value)
	}
	return nil
}
