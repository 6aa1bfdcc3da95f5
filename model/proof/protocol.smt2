; The protocol of one cell, for any number of threads and callbacks: the actions of ../src/protocol/model.rs, by name.

(declare-sort State 0)
(declare-sort Thread 0)
(declare-sort Callback 0)
(declare-sort Value 0)
(declare-datatypes ((Phase 0) (Doing 0)) (
  ((Pending) (Draining) (Settled))
  ((Free) (Drains) (HandsOver) (PutOff) (Owes))))

; The order of the adds is total. A callback has the shared tag or not.
(declare-fun before (Callback Callback) Bool)
(declare-fun tagged (Callback) Bool)
(assert (forall ((c Callback)) (not (before c c))))
(assert (forall ((c Callback) (d Callback) (e Callback)) (=> (before c d) (before d e) (before c e))))
(assert (forall ((c Callback) (d Callback)) (or (before c d) (= c d) (before d c))))
(declare-const abandoned Value)

; The state that the lock guards, and the write-once cell.
(declare-fun phase (State) Phase)
(declare-fun queue (State Callback) Bool)
(declare-fun published (State) Bool)
(declare-fun outcome (State) Value)
; The threads: their next activity, the batch, and its holder. The token was given to `drainer` last.
(declare-fun doing (State Thread) Doing)
(declare-fun batch (State Callback) Bool)
(declare-fun holder (State Callback) Thread)
(declare-fun drainer (State) Thread)
(declare-fun completer (State) Bool)
; The past.
(declare-fun added (State Callback) Bool)
(declare-fun removed (State Callback) Bool)
(declare-fun handed (State Callback) Bool)
(declare-fun won (State Value) Bool)

; Thread t runs a caller's code and may call; thread t drains and may take the next step; thread t holds callback c.
(define-fun calls ((s State) (t Thread)) Bool
  (or (= (doing s t) Free) (= (doing s t) HandsOver) (= (doing s t) PutOff)))
(define-fun drains ((s State) (t Thread)) Bool (or (= (doing s t) Owes) (= (doing s t) Drains)))
(define-fun holds ((s State) (t Thread) (c Callback)) Bool (and (batch s c) (= (holder s c) t)))

; The parts of the state that are equal in s and z.
(define-fun same_cell ((s State) (z State)) Bool
  (and (= (phase z) (phase s)) (= (published z) (published s)) (= (outcome z) (outcome s))
       (forall ((v Value)) (= (won z v) (won s v)))))
(define-fun same_completer ((s State) (z State)) Bool (= (completer z) (completer s)))
(define-fun same_queue ((s State) (z State)) Bool (forall ((c Callback)) (= (queue z c) (queue s c))))
(define-fun same_batch ((s State) (z State)) Bool
  (forall ((c Callback)) (and (= (batch z c) (batch s c)) (= (holder z c) (holder s c)))))
(define-fun same_doing ((s State) (z State)) Bool
  (and (= (drainer z) (drainer s)) (forall ((u Thread)) (= (doing z u) (doing s u)))))
(define-fun same_added ((s State) (z State)) Bool (forall ((c Callback)) (= (added z c) (added s c))))
(define-fun same_removed ((s State) (z State)) Bool (forall ((c Callback)) (= (removed z c) (removed s c))))
(define-fun same_handed ((s State) (z State)) Bool (forall ((c Callback)) (= (handed z c) (handed s c))))
(define-fun same_past ((s State) (z State)) Bool (and (same_added s z) (same_removed s z) (same_handed s z)))
(define-fun same ((s State) (z State)) Bool
  (and (same_cell s z) (same_queue s z) (same_batch s z) (same_doing s z) (same_past s z)))
; Only thread t changes its activity: to d, where the token stays; or to a drain that it owes, with the token.
(define-fun goes ((s State) (z State) (t Thread) (d Doing)) Bool
  (and (= (drainer z) (drainer s)) (forall ((u Thread)) (= (doing z u) (ite (= u t) d (doing s u))))))
(define-fun is_given_token ((s State) (z State) (t Thread)) Bool
  (and (= (drainer z) t) (forall ((u Thread)) (= (doing z u) (ite (= u t) Owes (doing s u))))))
; The whole queue becomes the batch of t.
(define-fun takes_queue ((s State) (z State) (t Thread)) Bool
  (forall ((c Callback)) (and (not (queue z c)) (= (batch z c) (or (batch s c) (queue s c)))
                              (= (holder z c) (ite (queue s c) t (holder s c))))))

(define-fun init ((s State)) Bool
  (and (= (phase s) Pending) (not (published s)) (completer s)
       (forall ((v Value)) (not (won s v)))
       (forall ((t Thread)) (= (doing s t) Free))
       (forall ((c Callback)) (not (or (queue s c) (batch s c) (added s c) (removed s c) (handed s c))))))

; action: add
(define-fun add ((s State) (z State) (t Thread) (c Callback) (v Value)) Bool
  (and (calls s t) (not (added s c)) (forall ((d Callback)) (=> (added s d) (before d c)))
       (forall ((d Callback)) (= (added z d) (or (added s d) (= d c))))
       (same_completer s z) (same_removed s z) (same_handed s z)
       (= (published z) (published s)) (= (outcome z) (outcome s)) (forall ((w Value)) (= (won z w) (won s w)))
       (ite (= (phase s) Settled)
         (and (= (phase z) Draining) (is_given_token s z t) (same_queue s z)
              (forall ((d Callback)) (and (= (batch z d) (or (batch s d) (= d c)))
                                          (= (holder z d) (ite (= d c) t (holder s d))))))
         (and (= (phase z) (phase s)) (same_doing s z) (same_batch s z)
              (forall ((d Callback)) (= (queue z d) (or (queue s d) (= d c))))))))

; A removal changes nothing but the queue and the set of removed callbacks.
(define-fun take_out ((s State) (z State)) Bool
  (and (same_cell s z) (same_completer s z) (same_batch s z) (same_doing s z) (same_added s z) (same_handed s z)))

; action: remove
(define-fun remove ((s State) (z State) (t Thread) (c Callback) (v Value)) Bool
  (and (calls s t) (take_out s z)
       (forall ((d Callback)) (let ((gone (and (= (phase s) Pending) (queue s d) (= d c))))
         (and (= (queue z d) (and (queue s d) (not gone))) (= (removed z d) (or (removed s d) gone)))))))

; action: remove_all
(define-fun remove_all ((s State) (z State) (t Thread) (c Callback) (v Value)) Bool
  (and (calls s t) (take_out s z)
       (forall ((d Callback)) (let ((gone (and (= (phase s) Pending) (queue s d) (tagged d))))
         (and (= (queue z d) (and (queue s d) (not gone))) (= (removed z d) (or (removed s d) gone)))))))

; Publishes, leaves Pending and takes the whole queue in one section; refused when done.
(define-fun completes ((s State) (z State) (t Thread) (v Value)) Bool
  (and (calls s t)
       (ite (= (phase s) Pending)
         (and (= (phase z) Draining) (published z) (= (outcome z) v)
              (forall ((w Value)) (= (won z w) (or (won s w) (= w v))))
              (is_given_token s z t) (takes_queue s z t) (same_past s z))
         (same s z))))

; action: complete
(define-fun complete ((s State) (z State) (t Thread) (c Callback) (v Value)) Bool
  (and (completes s z t v) (same_completer s z)))

; action: drop_completer
(define-fun drop_completer ((s State) (z State) (t Thread) (c Callback) (v Value)) Bool
  (and (completer s) (not (completer z)) (completes s z t abandoned)))

; A step of a drainer without the lock.
(define-fun unlocked ((s State) (z State)) Bool
  (and (same_cell s z) (same_completer s z) (same_queue s z) (same_added s z) (same_removed s z)))

; action: put_off_drain
(define-fun put_off_drain ((s State) (z State) (t Thread) (c Callback) (v Value)) Bool
  (and (= (doing s t) Owes) (goes s z t PutOff) (unlocked s z) (same_batch s z) (same_handed s z)))

; action: resume_drain
(define-fun resume_drain ((s State) (z State) (t Thread) (c Callback) (v Value)) Bool
  (and (= (doing s t) PutOff) (goes s z t Drains) (unlocked s z) (same_batch s z) (same_handed s z)))

; action: hand_over
(define-fun hand_over ((s State) (z State) (t Thread) (c Callback) (v Value)) Bool
  (and (drains s t) (holds s t c) (forall ((d Callback)) (=> (holds s t d) (not (before d c))))
       (goes s z t HandsOver) (unlocked s z)
       (forall ((d Callback)) (and (= (batch z d) (and (batch s d) (not (= d c)))) (= (holder z d) (holder s d))
                                   (= (handed z d) (or (handed s d) (= d c)))))))

; action: return
(define-fun return ((s State) (z State) (t Thread) (c Callback) (v Value)) Bool
  (and (= (doing s t) HandsOver) (goes s z t Drains) (unlocked s z) (same_batch s z) (same_handed s z)))

; action: panic
(define-fun panic ((s State) (z State) (t Thread) (c Callback) (v Value)) Bool
  (and (= (doing s t) HandsOver) (goes s z t Drains) (unlocked s z) (same_batch s z) (same_handed s z)))

; action: refuse
(define-fun refuse ((s State) (z State) (t Thread) (c Callback) (v Value)) Bool
  (and (= (doing s t) HandsOver) (goes s z t Drains) (unlocked s z) (same_batch s z) (same_handed s z)))

; action: take
(define-fun take ((s State) (z State) (t Thread) (c Callback) (v Value)) Bool
  (and (drains s t) (forall ((d Callback)) (not (holds s t d))) (queue s c)
       (goes s z t Drains) (takes_queue s z t) (same_cell s z) (same_completer s z) (same_past s z)))

; action: settle
(define-fun settle ((s State) (z State) (t Thread) (c Callback) (v Value)) Bool
  (and (drains s t) (forall ((d Callback)) (not (holds s t d))) (forall ((d Callback)) (not (queue s d)))
       (= (phase z) Settled) (= (published z) (published s)) (= (outcome z) (outcome s))
       (forall ((w Value)) (= (won z w) (won s w)))
       (goes s z t Free) (same_completer s z) (same_queue s z) (same_batch s z) (same_past s z)))
