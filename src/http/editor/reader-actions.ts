import type { Context, Hono } from 'hono'
import { z } from 'zod'
import {
  decideReader,
  type ReaderDecided,
  type ReaderWish,
  recordReaderDecision,
} from '../../delivery/decide-reader.ts'
import { liftEverywhere } from '../../delivery/lift-everywhere.ts'
import { theirSuppressions } from '../../mail/resend-suppressions.ts'
import { exportReader } from '../../subscriber/export.ts'
import type { Reader } from '../../subscriber/find.ts'
import { liftReasons } from '../../subscriber/lift-suppression.ts'
import { barOn } from '../../subscriber/suppressed.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { readFields } from './fields.ts'
import { type Flash, redirectSaying } from './flash.ts'
import { deskNotFound } from './page.ts'
import { actionsFor, isFinal, readerActions } from './reader-choices.ts'
import { readerNamed } from './reader-named.ts'
import { atProviderWords, doneWordsFor, refusalWords } from './reader-said.ts'
import { surePage } from './reader-sure.ts'

const given = z.object({
  action: z.enum(readerActions),
  sure: z.literal('yes').optional().catch(undefined),
  why: z.enum(liftReasons).optional().catch(undefined),
  typed: z.string().max(400).catch(''),
})
type Given = z.infer<typeof given>

/** What an editor decides about a reader; what they could not undo is asked twice. */
export function readerActionRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk()
    .get('/desk/readers/:publicId/decide', async (c) => {
      const reader = await readerNamed(deps, c.req.param('publicId'))
      const query = given.safeParse(c.req.query())
      const bar = await barOn(deps.db, reader?.address ?? '')
      if (!reader || !query.success || !actionsFor(reader, bar).includes(query.data.action))
        return deskNotFound(c, deps, 'There is nothing to decide here, or no longer.')
      return surePage(c, deps, { reader, bar, action: query.data.action })
    })
    .post('/desk/readers/:publicId/decide', async (c) => {
      const reader = await readerNamed(deps, c.req.param('publicId'))
      const form = given.safeParse(await readFields(c))
      if (!reader || !form.success)
        return deskNotFound(c, deps, 'The form named no reader, or nothing to do about one.')
      const { action, sure, typed } = form.data
      const page = `/desk/readers/${reader.public_id}`
      if (isFinal(action) && !sure)
        return c.redirect(`${page}/decide?action=${encodeURIComponent(action)}`, 303)
      const said = await carryOut(deps, reader, form.data, c.get('session').editor)
      if (said.kind === 'done' || said.kind === 'problem') return redirectSaying(c, page, said)
      const bar = await barOn(deps.db, reader.address ?? '')
      return surePage(c, deps, { reader, bar, action, problem: said.text, typed })
    })
    .post('/desk/readers/:publicId/export', async (c) => {
      const reader = await readerNamed(deps, c.req.param('publicId'))
      const held = reader && (await exportReader(deps.db, reader.public_id))
      if (!held) return deskNotFound(c, deps, 'There is no reader of that number.')
      await recordExport(deps, c, held.reader.public_id)
      c.header('Content-Disposition', `attachment; filename="reader-${held.reader.public_id}.json"`)
      return c.body(`${JSON.stringify(held, null, 2)}\n`, 200, { 'Content-Type': 'application/json' })
    })
}

/** What to say on the reader's page; or, with what was typed kept, on the one that asked. */
type Said = Flash | { readonly kind: 'ask again'; readonly text: string }

async function carryOut(deps: DeskDeps, reader: Reader, form: Given, by: string): Promise<Said> {
  if (form.action === 'lift suppression') return lift(deps, reader, form.why, by)
  const { action, typed } = form
  const wish: ReaderWish = action === 'erase' ? { action, typed } : { action }
  const decided = await decideReader(deps, reader.public_id, wish, by)
  if (decided.ok && action === 'resend confirmation') deps.wake('send-letters')
  return said(decided, doneWordsFor(action))
}

async function lift(deps: DeskDeps, reader: Reader, why: Given['why'], by: string): Promise<Said> {
  if (!why) return { kind: 'ask again', text: 'Choose why it is lifted. Nothing was changed.' }
  const theirs = theirSuppressions(deps.config)
  const lifted = await liftEverywhere({ ...deps, theirs }, reader.public_id, why, by)
  if (lifted.kind === 'no answer')
    return {
      kind: 'problem',
      text: 'Resend, which has a list of its own, did not answer, so nothing was changed. Try again in a minute.',
    }
  return said(lifted.decided, `${doneWordsFor('lift suppression')} ${atProviderWords[lifted.atProvider]}`)
}

function said(decided: ReaderDecided, done: string): Said {
  if (decided.ok) return { kind: 'done', text: done }
  const kind =
    decided.why === 'another address' || decided.why === 'they complained' ? 'ask again' : 'problem'
  return { kind, text: refusalWords(decided.why) }
}

async function recordExport({ db, clock }: DeskDeps, c: Context<DeskEnv>, publicId: string): Promise<void> {
  const { editor } = c.get('session')
  await db.transaction().execute((trx) => recordReaderDecision(trx, clock, editor, 'export reader', publicId))
}
