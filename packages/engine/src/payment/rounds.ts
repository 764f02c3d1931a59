/** Every time that a bank takes a dispute up after it was won is a round of its own, with holds, takings and grants of its
 *  own: the last one that is known of a dispute, and what the next one is called. Pure. */
export function lastRound<Round extends { readonly id: string }>(
  known: readonly Round[],
  disputeId: string,
): { readonly last: Round | null; readonly nextId: string } {
  let last: Round | null = null;
  for (let number = 1; ; number++) {
    const id = number === 1 ? disputeId : `${disputeId}_${number}`;
    const round = known.find((candidate) => candidate.id === id);
    if (round === undefined) return { last, nextId: id };
    last = round;
  }
}
