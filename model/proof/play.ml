(* Plays operations on the queue that was extracted from queue.mlw. The twin is model/src/proof/play.rs. *)
open Queue

let rec list = function Nothing -> [] | Then (front, callback) -> list front @ [Z.to_string callback]

let given = function None -> "-" | Some callback -> Z.to_string callback

(* The callbacks of a batch, with a mark where it says that it is not empty. *)
let rec hand_over batch =
  let mark = if is_empty batch then "" else "+" in
  match next batch with None -> mark ^ "." | Some callback -> mark ^ Z.to_string callback ^ " " ^ hand_over batch

(* All but the last few places in a number, which keeps the lines short. *)
let rec waiting shown = function
  | Empty -> (0, "")
  | Snoc (front, { sequence; waiting1 = Waits (tag, _) }) ->
    let (digest, text) = waiting (shown - 1) front in
    if shown > 0 then (digest, text ^ " " ^ Z.to_string sequence ^ ":" ^ Z.to_string tag)
    else (((digest * 31) + Z.to_int (Z.erem sequence (Z.of_int 999983)) + Z.to_int tag) mod 999983, "")
  | Snoc (_, { waiting1 = Gone }) -> failwith "an empty place"

let capacity queue = match queue.now with One _ -> Z.zero | Many (vec, _) -> vec.capacity

let play queue line =
  let number = Z.of_string in
  match String.split_on_char ' ' line with
  | [ "new" ] -> queue.now <- One empty; ""
  | [ "push"; n; tag; callback ] -> push queue (number n) (number tag) (number callback); ""
  | [ "replace"; n; callback ] -> (
    match replace queue (number n) (number callback) with
    | Swapped old -> Z.to_string old
    | Refused callback -> "refused " ^ Z.to_string callback)
  | [ "remove"; n ] -> given (remove queue (number n))
  | [ "remove_all"; tag ] -> String.concat " " (list (remove_all queue (number tag)))
  | [ "take" ] -> hand_over { rest = take queue }
  | _ -> failwith line

let () =
  let queue = { now = One empty } in
  try
    while true do
      let answer = play queue (input_line stdin) in
      let digest, text = waiting 4 (waiting2 queue) in
      Printf.printf "%s | %s of %s | %d%s\n" answer (Z.to_string (len queue)) (Z.to_string (capacity queue)) digest text
    done
  with End_of_file -> ()
