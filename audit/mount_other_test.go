//go:build !linux

package audit

import "errors"

func mountSmall(string) (unmount func() error, err error) { return nil, errors.ErrUnsupported }
