package sink_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/accesslog/sink"
)

func TestQueueKeepsOrderAndBound(t *testing.T) {
	q := sink.NewQueue(10*(64+4), sink.DropNewest)
	line := []byte("0000")
	for i := range 10 {
		line = fmt.Appendf(line[:0], "%04d", i)
		require.NoError(t, q.Put(line)) // the queue keeps a copy
	}
	require.ErrorIs(t, q.Put(line), sink.ErrFull)
	require.Equal(t, 10, q.Len())
	for i := range 10 {
		require.Equal(t, fmt.Sprintf("%04d", i), string(q.Take(1)[0]))
	}
	require.Nil(t, q.Take(1))
	require.NoError(t, q.Put(make([]byte, 1<<20)), "one line of any size fits into an empty queue")
	require.ErrorIs(t, q.Put(nil), sink.ErrFull)
	q.Close()
	require.Len(t, q.Take(5), 1)
	require.ErrorIs(t, q.Put(nil), sink.ErrClosed)
}

func TestBlockingQueueWaitsForRoomOrClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := sink.NewQueue(1, sink.Block)
		require.NoError(t, q.Put([]byte("a")))
		var second error
		done := false
		var wg sync.WaitGroup
		wg.Go(func() { second = q.Put([]byte("b")); done = true })
		synctest.Wait()
		require.False(t, done)
		require.Len(t, q.Take(1), 1)
		wg.Wait()
		require.NoError(t, second)
		wg.Go(func() { second = q.Put([]byte("c")) })
		synctest.Wait()
		q.Close()
		wg.Wait()
		require.ErrorIs(t, second, sink.ErrClosed)
	})
}

func TestQueueMovesManyThroughOneTaker(t *testing.T) {
	q := sink.NewQueue(1<<12, sink.Block)
	const writers, each = 4, 5000
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if err := q.Put(fmt.Appendf(nil, "%d %d", w, i)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	next := [writers]int{}
	for n := 0; n < writers*each; {
		items := q.Take(100)
		if items == nil {
			require.NoError(t, q.Wait(t.Context()))
		}
		for _, b := range items {
			var w, i int
			_, err := fmt.Sscan(string(b), &w, &i)
			require.NoError(t, err)
			require.Equal(t, next[w], i)
			next[w]++
			n++
		}
	}
	wg.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 { // a token may be left
		if err := q.Wait(ctx); err != nil {
			require.ErrorIs(t, err, context.Canceled)
			return
		}
	}
	require.ErrorIs(t, q.Wait(ctx), context.Canceled)
}

func TestStatsSayWhatMatters(t *testing.T) {
	s := sink.Stats{Written: 5, Sent: 4, Acked: 3, Dropped: 1, LastError: errors.New("refused")}
	require.Equal(t, "5 written, 4 sent, 3 acknowledged, 1 dropped; last error: refused", s.String())
}
