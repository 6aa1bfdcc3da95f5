; The properties, which follow from the invariant: of a state s, or of a step from s to z by thread t.

; property: P1 at_most_one_completion_succeeds
(define-fun at_most_one_completion_succeeds ((s State)) Bool
  (forall ((v Value) (w Value)) (=> (won s v) (won s w) (= v w))))

; property: P1 of_all_completions_one_succeeds
(define-fun of_all_completions_one_succeeds ((s State)) Bool
  (=> (not (= (phase s) Pending)) (won s (outcome s))))

; property: P2 done_means_readable
(define-fun done_means_readable ((s State)) Bool
  (and (=> (not (= (phase s) Pending)) (published s))
       (forall ((c Callback)) (=> (handed s c) (published s)))))

; property: P5 not_lost_once_done
(define-fun not_lost_once_done ((s State)) Bool
  (forall ((c Callback)) (=> (not (= (phase s) Pending)) (added s c) (not (removed s c))
    (or (handed s c)
        (and (queue s c) (= (phase s) Draining) (not (= (doing s (drainer s)) Free)))
        (and (batch s c) (not (= (doing s (holder s c)) Free)))))))

; property: P6 never_early
(define-fun never_early ((s State)) Bool (forall ((c Callback)) (=> (handed s c) (published s))))

; property: P7 first_in_first_out
(define-fun first_in_first_out ((s State)) Bool
  (forall ((c Callback) (d Callback)) (=> (handed s d) (added s c) (before c d) (or (handed s c) (removed s c)))))

; property: P8 one_hand_over_at_a_time
(define-fun one_hand_over_at_a_time ((s State)) Bool
  (forall ((t Thread) (u Thread)) (=> (= (doing s t) HandsOver) (= (doing s u) HandsOver) (= t u))))

; property: P9 removed_is_never_handed_over
(define-fun removed_is_never_handed_over ((s State)) Bool
  (forall ((c Callback)) (=> (removed s c) (not (or (queue s c) (batch s c) (handed s c))))))

; property: P10 what_waits_was_added_here
(define-fun what_waits_was_added_here ((s State)) Bool (forall ((c Callback)) (=> (queue s c) (added s c))))

; property: P16 abandoned_is_done
(define-fun abandoned_is_done ((s State)) Bool (=> (not (completer s)) (published s)))

; property: P19 settled_means_at_rest
(define-fun settled_means_at_rest ((s State)) Bool
  (=> (= (phase s) Settled)
      (and (forall ((c Callback)) (not (or (queue s c) (batch s c)))) (forall ((t Thread)) (= (doing s t) Free)))))

; step: P3 done_stays_done [every action]
(define-fun done_stays_done ((s State) (z State) (t Thread) (c Callback)) Bool
  (=> (not (= (phase s) Pending)) (and (not (= (phase z) Pending)) (published z) (= (outcome z) (outcome s)))))

; step: P4 not_handed_over_before [hand_over]
(define-fun not_handed_over_before ((s State) (z State) (t Thread) (c Callback)) Bool (not (handed s c)))

; step: P8 the_drainer_alone_hands_over [hand_over]
(define-fun the_drainer_alone_hands_over ((s State) (z State) (t Thread) (c Callback)) Bool
  (forall ((u Thread)) (not (= (doing s u) HandsOver))))

; step: P8 never_told_to_drain_twice [every action]
(define-fun never_told_to_drain_twice ((s State) (z State) (t Thread) (c Callback)) Bool
  (forall ((u Thread)) (=> (= (doing z u) Owes) (or (= (doing s u) Owes) (= (doing s u) Free)))))

; step: P9 true_once_and_never_handed_over [remove remove_all]
(define-fun true_once_and_never_handed_over ((s State) (z State) (t Thread) (c Callback)) Bool
  (forall ((d Callback)) (=> (removed z d) (not (removed s d)) (and (queue s d) (not (queue z d)) (not (handed z d))))))

; step: P9 removed_stays_removed [every action]
(define-fun removed_stays_removed ((s State) (z State) (t Thread) (c Callback)) Bool
  (forall ((d Callback)) (=> (removed s d) (and (removed z d) (not (handed z d))))))

; step: P9 nothing_is_removed_once_done [remove remove_all]
(define-fun nothing_is_removed_once_done ((s State) (z State) (t Thread) (c Callback)) Bool
  (forall ((d Callback)) (=> (not (= (phase s) Pending)) (= (removed z d) (removed s d)))))

; step: P10 nothing_else_is_taken_out [remove]
(define-fun nothing_else_is_taken_out ((s State) (z State) (t Thread) (c Callback)) Bool
  (forall ((d Callback)) (=> (not (= d c)) (and (= (queue z d) (queue s d)) (= (removed z d) (removed s d))))))

; step: P10 a_stale_id_takes_out_nothing [remove]
(define-fun a_stale_id_takes_out_nothing ((s State) (z State) (t Thread) (c Callback)) Bool
  (=> (not (queue s c)) (forall ((d Callback)) (and (= (queue z d) (queue s d)) (= (removed z d) (removed s d))))))

; step: P11 an_add_hands_nothing_over [add]
(define-fun an_add_hands_nothing_over ((s State) (z State) (t Thread) (c Callback)) Bool
  (forall ((d Callback)) (= (handed z d) (handed s d))))

; step: P11 a_late_add_comes_last [hand_over]
(define-fun a_late_add_comes_last ((s State) (z State) (t Thread) (c Callback)) Bool
  (forall ((d Callback)) (=> (added s d) (before d c) (or (handed s d) (removed s d)))))

; step: P14 the_drain_goes_on [panic refuse return]
(define-fun the_drain_goes_on ((s State) (z State) (t Thread) (c Callback)) Bool
  (and (= (doing z t) Drains) (= (phase z) Draining) (forall ((d Callback)) (= (batch z d) (batch s d)))))

; The measure, which decreases with each step that changes anything. It is lexicographic: the callbacks that may still
; be added, the completer, the completion, the callbacks to hand over, the queue, the next activity of thread t.
(define-fun to_add ((s State) (c Callback)) Bool (not (added s c)))
(define-fun to_hand_over ((s State) (c Callback)) Bool (and (added s c) (not (removed s c)) (not (handed s c))))
(define-fun is_sooner ((d Doing) (e Doing)) Bool
  (or (and (= d Free) (not (= e Free))) (and (= d Drains) (not (or (= e Free) (= e Drains))))
      (and (= d HandsOver) (or (= e PutOff) (= e Owes))) (and (= d PutOff) (= e Owes))))
(define-fun makes_smaller ((s State) (z State) (t Thread)) Bool
  (or (and (forall ((c Callback)) (=> (to_add z c) (to_add s c))) (exists ((c Callback)) (and (to_add s c) (not (to_add z c)))))
  (and (forall ((c Callback)) (= (to_add z c) (to_add s c)))
  (or (and (completer s) (not (completer z)))
  (and (= (completer s) (completer z))
  (or (and (= (phase s) Pending) (not (= (phase z) Pending)))
  (and (= (= (phase s) Pending) (= (phase z) Pending))
  (or (and (forall ((c Callback)) (=> (to_hand_over z c) (to_hand_over s c)))
           (exists ((c Callback)) (and (to_hand_over s c) (not (to_hand_over z c)))))
  (and (forall ((c Callback)) (= (to_hand_over z c) (to_hand_over s c)))
  (or (and (forall ((c Callback)) (=> (queue z c) (queue s c))) (exists ((c Callback)) (and (queue s c) (not (queue z c)))))
  (and (forall ((c Callback)) (= (queue z c) (queue s c)))
       (is_sooner (doing z t) (doing s t))
       (forall ((u Thread)) (or (= u t) (= (doing z u) (doing s u)))))))))))))))
(define-fun changes ((s State) (z State)) Bool (not (and (same s z) (same_completer s z))))
