; The inductive invariant. Each clause has a name, the properties that rest on it, and a sentence.

; clause: published_when_done [P2 P3]: the outcome is published exactly when the cell has left Pending
(define-fun published_when_done ((s State)) Bool (= (published s) (not (= (phase s) Pending))))

; clause: one_winner [P1]: a completion that was told that it succeeded has the value of the outcome
(define-fun one_winner ((s State)) Bool
  (forall ((v Value)) (=> (won s v) (and (published s) (= v (outcome s))))))

; clause: winner_is_told [P1]: the completion that has the value of the outcome was told that it succeeded
(define-fun winner_is_told ((s State)) Bool (=> (published s) (won s (outcome s))))

; clause: completer_dropped_late [P16]: without its completer the cell is done
(define-fun completer_dropped_late ((s State)) Bool (or (completer s) (not (= (phase s) Pending))))

; clause: token_is_the_drainers [P8]: only the drainer has the token, and the cell is draining then
(define-fun token_is_the_drainers ((s State)) Bool
  (forall ((t Thread)) (=> (not (= (doing s t) Free)) (and (= t (drainer s)) (= (phase s) Draining)))))

; clause: draining_has_a_drainer [P5 P19]: while the cell is draining, the drainer has the token
(define-fun draining_has_a_drainer ((s State)) Bool (=> (= (phase s) Draining) (not (= (doing s (drainer s)) Free))))

; clause: batch_is_the_drainers [P5 P6 P8]: a batch belongs to the drainer, and the cell is draining
(define-fun batch_is_the_drainers ((s State)) Bool
  (forall ((c Callback)) (=> (batch s c) (and (= (holder s c) (drainer s)) (= (phase s) Draining)))))

; clause: settled_is_empty [P5 P19]: nothing waits in a settled cell
(define-fun settled_is_empty ((s State)) Bool
  (forall ((c Callback)) (=> (= (phase s) Settled) (not (queue s c)))))

; clause: nothing_early [P6]: nothing was handed over while the cell is pending
(define-fun nothing_early ((s State)) Bool
  (forall ((c Callback)) (=> (= (phase s) Pending) (not (handed s c)))))

; clause: only_what_was_added [P10]: a callback that waits, is in a batch, was removed or handed over was added here
(define-fun only_what_was_added ((s State)) Bool
  (forall ((c Callback)) (=> (or (queue s c) (batch s c) (removed s c) (handed s c)) (added s c))))

; clause: nothing_is_lost [P5 P7]: an added callback waits, is in a batch, was removed, or was handed over
(define-fun nothing_is_lost ((s State)) Bool
  (forall ((c Callback)) (=> (added s c) (or (queue s c) (batch s c) (removed s c) (handed s c)))))

; clause: removed_is_gone [P9]: a removed callback does not wait, is in no batch, and was not handed over
(define-fun removed_is_gone ((s State)) Bool
  (forall ((c Callback)) (=> (removed s c) (not (or (queue s c) (batch s c) (handed s c))))))

; clause: batch_before_queue [P7 P11]: callbacks in a batch were added before those that wait
(define-fun batch_before_queue ((s State)) Bool
  (forall ((c Callback) (d Callback)) (=> (batch s c) (queue s d) (before c d))))

; clause: handed_before_batch [P4 P7 P11]: callbacks that were handed over were added before those in a batch
(define-fun handed_before_batch ((s State)) Bool
  (forall ((c Callback) (d Callback)) (=> (handed s c) (batch s d) (before c d))))

; clause: handed_before_queue [P4 P7 P11]: callbacks that were handed over were added before those that wait
(define-fun handed_before_queue ((s State)) Bool
  (forall ((c Callback) (d Callback)) (=> (handed s c) (queue s d) (before c d))))
