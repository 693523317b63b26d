import { type DeliverDeps, type Delivered, deliverIssue, deliverToTheEnd } from '../src/delivery/deliver.ts'
import { openForSending, type SendRules } from '../src/delivery/send.ts'
import type { IssueSetting, IssueTemplates } from '../src/issue/render.ts'

export type SendDeps = DeliverDeps & {
  readonly rules: SendRules
  readonly keyId: string
  readonly templates: IssueTemplates
  readonly setting: IssueSetting
}

/** What sending came to, or why it did not begin. */
export type Sent = Delivered | { readonly kind: 'refused'; readonly problem: string }

/**
 * The issue's audience is frozen once, and delivered to until nothing is left or the provider asks for a wait
 * (`toTheEnd` waits too). Run again, it goes on where it stopped.
 */
export async function sendIssue(
  deps: SendDeps,
  week: string,
  how: { early?: boolean; toTheEnd?: boolean; stop?: AbortSignal } = {},
): Promise<Sent> {
  const ready = await openForSending(deps, week, { early: how.early ?? false })
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
