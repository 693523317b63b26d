import type { Context } from 'hono'
import type { ReaderAction } from '../../delivery/decide-reader.ts'
import type { Reader } from '../../subscriber/find.ts'
import { type LiftReason, liftReasonsFor } from '../../subscriber/lift-suppression.ts'
import type { Bar } from '../../subscriber/suppressed.ts'
import type { DeskDeps, DeskEnv } from './desk.ts'
import { deskPage } from './page.ts'
import { consequenceFor, labels } from './reader-choices.ts'

type Asked = {
  readonly reader: Reader
  readonly bar: Bar | undefined
  readonly action: ReaderAction
  /** What was wrong with the answer, and what had been typed. */
  readonly problem?: string
  readonly typed?: string
}

/** The page that asks twice, with the consequence in words; an erasure wants the address typed, a lift its reason. */
export function surePage(
  c: Context<DeskEnv>,
  deps: DeskDeps,
  { reader, bar, action, problem = '', typed = '' }: Asked,
): Promise<Response> {
  const reasons = action === 'lift suppression' && bar ? liftReasonsFor(bar.reason) : []
  return deskPage(c, deps, 'desk-reader-sure', {
    ...{ section: 'readers', title: `${labels[action]}?`, status: problem ? 422 : 200 },
    data: {
      ...{ page: `/desk/readers/${reader.public_id}`, address: reader.address ?? '', action, problem, typed },
      ...{ words: consequenceFor(action, reader, bar), label: labels[action], isErasure: action === 'erase' },
      reasons: reasons.map((value) => ({ value, label: reasonWords[value] })),
    },
  })
}

const reasonWords: Record<LiftReason, string> = {
  'they asked for it': 'They asked for it themselves',
  'the mailbox works again': 'The mailbox works again',
  'it was a mistake': 'It was suppressed by mistake',
}
