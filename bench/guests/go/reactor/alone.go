//go:build wasip1 && !meet

package main

func meet() {}
