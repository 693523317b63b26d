import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { type Doubt, lookInto } from '../../delivery/doubt.ts'
import { eventsAbout } from '../../delivery/evidence.ts'
import { listDoubts } from '../../delivery/list-doubts.ts'
import { type Resolved, resolveBatch, type Verb, verbsFor } from '../../delivery/quarantine.ts'
import { whatToKnow } from '../../delivery/what-to-know.ts'
import { askTwice } from './ask-twice.ts'
import { batchView, evidenceWords, isMain, resolvedWords, verbWords } from './batch-words.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { readFields } from './fields.ts'
import { redirectSaying } from './flash.ts'
import { deskNotFound, deskPage } from './page.ts'
import { canAsk, fingerprint, weigh } from './weigh.ts'

const uuid = z.uuid()
const given = z.object({
  verb: z.enum(['confirm', 'resend', 'drop']),
  /** The evidence that was on the screen. */
  seen: z.string().max(80).default(''),
  /** Resend had been asked. */
  asked: z.enum(['', 'yes']).default(''),
  sure: z.literal('yes').optional(),
})

/** `/desk/quarantine/:batch`: one batch with everything that is known of it, and what can be done with it. */
export function batchRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk()
    .get('/desk/quarantine/:batch', async (c) => {
      const doubt = await doubtNamed(deps, c.req.param('batch'))
      return doubt ? page(c, deps, doubt, { asked: false }) : deskNotFound(c, deps, notInDoubt)
    })
    .post('/desk/quarantine/:batch/ask', async (c) => {
      const doubt = await doubtNamed(deps, c.req.param('batch'))
      if (!doubt || !canAsk(deps)) return redirectSaying(c, '/desk/quarantine', gone)
      const weighed = await weigh(deps, doubt, true)
      if (weighed.ok) return page(c, deps, weighed.doubt, { asked: true })
      return page(c, deps, doubt, { asked: false, problem: weighed.problem })
    })
    .post('/desk/quarantine/:batch', async (c) => {
      const form = given.safeParse(await readFields(c))
      const doubt = await doubtNamed(deps, c.req.param('batch'))
      if (!form.success) return deskNotFound(c, deps, 'The form named nothing to do with the batch.')
      if (!doubt) return redirectSaying(c, '/desk/quarantine', gone)
      const { verb, seen, asked, sure } = form.data
      const isAsked = asked === 'yes' && canAsk(deps)
      const weighed = await weigh(deps, doubt, isAsked)
      if (!weighed.ok) return page(c, deps, doubt, { asked: false, problem: weighed.problem })
      const isTrue = seen === fingerprint(weighed.doubt) && verbsFor(weighed.doubt).includes(verb)
      if (!isTrue) return page(c, deps, weighed.doubt, { asked: isAsked, problem: changed })
      if (!sure) return question(c, deps, weighed.doubt, verb, isAsked)
      const by = c.get('session').editor
      return answer(c, deps, await resolveBatch(deps, weighed.doubt, verb, { by, yes: true }), doubt)
    })
}

const notInDoubt = 'That batch is not in doubt, or no longer: what became of it stands in the log.'
const gone = {
  kind: 'problem' as const,
  text: 'That batch is in doubt no longer: somebody, or a webhook, was quicker. Nothing was changed.',
}
const changed = 'More is known of this batch than was on your screen. Nothing was changed: look at it again.'

function doubtNamed({ db }: DeskDeps, name: string): Promise<Doubt | undefined> {
  const id = uuid.safeParse(name)
  return id.success ? lookInto(db, id.data) : Promise.resolve(undefined)
}

async function page(
  c: Context<DeskEnv>,
  deps: DeskDeps,
  doubt: Doubt,
  { asked, problem = '' }: { asked: boolean; problem?: string },
): Promise<Response> {
  const now = deps.clock()
  const isAskable = canAsk(deps) && !asked && doubt.state === 'quarantined'
  const path = `/desk/quarantine/${doubt.batchId}`
  const verbs = verbsFor(doubt).map((verb) => ({
    verb,
    ...verbWords(verb, doubt),
    ...isMain(verb, doubt, isAskable),
  }))
  return deskPage(c, deps, 'desk-batch', {
    ...{ section: 'week', title: `Batch ${doubt.batchId.slice(0, 8)}`, status: problem ? 409 : 200 },
    data: {
      ...batchView(doubt, await eventsAbout(deps.db, doubt.batchId), deps.calendar.zone, now),
      ...{ path, problem, verbs, isAskable, asked: asked ? 'yes' : '', seen: fingerprint(doubt) },
      back: `/desk/quarantine?week=${doubt.week}`,
    },
  })
}

function question(
  c: Context<DeskEnv>,
  deps: DeskDeps,
  doubt: Doubt,
  verb: Verb,
  isAsked: boolean,
): Promise<Response> {
  const path = `/desk/quarantine/${doubt.batchId}`
  const { label, does } = verbWords(verb, doubt)
  return askTwice(c, deps, {
    ...{ section: 'week', title: `${label}?`, label, path, back: path, week: doubt.week },
    words: [does, evidenceWords(doubt)],
    warning: whatToKnow(doubt, verb, deps.clock()) ?? '',
    fields: { verb, seen: fingerprint(doubt), asked: isAsked ? 'yes' : '', sure: 'yes' },
  })
}

async function answer(
  c: Context<DeskEnv>,
  deps: DeskDeps,
  resolved: Resolved,
  { batchId, week }: Doubt,
): Promise<Response> {
  if (!resolved.ok) {
    const text = `Batch ${batchId.slice(0, 8)} has just changed. Nothing was changed: look at it again.`
    return redirectSaying(c, `/desk/quarantine/${batchId}`, { kind: 'problem', text })
  }
  deps.wake('tick')
  const isMore = (await listDoubts(deps.db, { week, most: 1 })).length > 0
  const next = isMore ? `/desk/quarantine?week=${week}` : `/desk/issues/${week}`
  return redirectSaying(c, next, { kind: 'done', text: resolvedWords(resolved) })
}
