import { type DeliverDeps, type Delivered, deliverIssue, deliverToTheEnd } from '../src/delivery/deliver.ts'
import { openForSending, type Readiness, type SendRules } from '../src/delivery/send.ts'
import { type DraftDeps, dropRetracted } from '../src/issue/draft.ts'

export type SendDeps = DeliverDeps & DraftDeps & { readonly rules: SendRules; readonly keyId: string }

/** What sending came to, or why it did not begin. */
export type Sent = Delivered | Extract<Readiness, { kind: 'refused' }>

/** Makes an issue ready to be delivered, without what was retracted since it was drafted; or says why it is not sent now. */
export async function openIssue(deps: SendDeps, week: string, how: { early: boolean }): Promise<Readiness> {
  if (await dropRetracted(deps, week))
    deps.log.warn({ issue: week }, 'drafted again: a comparison was retracted')
  return openForSending(deps, week, how)
}

/**
 * The issue's audience is frozen once, and delivered to until nothing is left or the provider asks for a wait
 * (`toTheEnd` waits too). Run again, it goes on where it stopped.
 */
export async function sendIssue(
  deps: SendDeps,
  week: string,
  how: { early?: boolean; toTheEnd?: boolean; stop?: AbortSignal } = {},
): Promise<Sent> {
  const ready = await openIssue(deps, week, { early: how.early ?? false })
  switch (ready.kind) {
    case 'refused':
      return ready
    case 'settled':
      return { kind: 'finished', state: ready.issue.state }
    case 'ready': {
      const deliver = how.toTheEnd ? deliverToTheEnd : deliverIssue
      return deliver(deps, ready.issue.id, how.stop)
    }
  }
}
