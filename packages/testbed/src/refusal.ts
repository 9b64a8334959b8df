/** Why a peer's authentication or seal was not accepted. The text goes into the journal, never to the peer. */
export class Refusal extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'Refusal';
  }
}
