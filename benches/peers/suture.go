// What COMPARE.md says of suture: a hook that calls back, and a service that fails often.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/thejerf/suture/v4"
)

type faulty struct{}

func (faulty) Serve(context.Context) error {
	time.Sleep(10 * time.Millisecond)
	return errors.New("failed")
}

func hook() {
	var supervisor *suture.Supervisor
	supervisor = suture.New("root", suture.Spec{EventHook: func(suture.Event) {
		supervisor.Services()
	}})
	supervisor.Add(faulty{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	supervisor.ServeBackground(ctx)
	time.Sleep(100 * time.Millisecond)
	answered := make(chan int, 1)
	go func() { answered <- len(supervisor.Services()) }()
	select {
	case count := <-answered:
		fmt.Println("the supervisor answers:", count)
	case <-time.After(3 * time.Second):
		fmt.Println("after a hook that called Services: no answer within 3 s")
	}
}

type innocent struct {
	runs  int
	since time.Time
}

func (own *innocent) Serve(ctx context.Context) error {
	own.runs++
	fmt.Println("innocent: run", own.runs, "begins after", time.Since(own.since))
	if own.runs == 1 {
		time.Sleep(500 * time.Millisecond)
		fmt.Println("innocent: fails for the first time after", time.Since(own.since))
		return errors.New("failed once")
	}
	<-ctx.Done()
	return nil
}

func noisy() {
	quiet := func(suture.Event) {}
	supervisor := suture.New("root", suture.Spec{EventHook: quiet, FailureBackoff: 3 * time.Second})
	supervisor.Add(faulty{})
	supervisor.Add(&innocent{since: time.Now()})
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Second)
	defer cancel()
	supervisor.Serve(ctx)
}

func main() {
	hook()
	noisy()
}
