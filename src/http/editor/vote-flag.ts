import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { decideFlag, type FlagVerb, reasonLength, verbsFor } from '../../vote/decide-flag.ts'
import { effectsOf } from '../../vote/effect.ts'
import { flagReason, flagTitle, stateWords } from '../../vote/flag-words.ts'
import { type Flag, findFlag } from '../../vote/list-flags.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { readFields } from './fields.ts'
import { effectRows, evidenceRows } from './flag-evidence.ts'
import { type Flash, redirectSaying } from './flash.ts'
import { deskNotFound, deskPage } from './page.ts'
import { grouped } from './when.ts'

const given = z.object({
  verb: z.enum(['leave', 'set aside', 'count again']),
  /** Of the flag as it was on the screen. */
  revision: z.coerce.number().int().positive().max(2_000_000_000),
  reason: z.string().trim().max(5_000).default(''),
  sure: z.literal('yes').optional().catch(undefined),
})
type Given = z.infer<typeof given>

const path = '/desk/votes/flags/:flag'

/** One flag with its evidence, and what an editor decides about its votes: never without a reason, nor set aside unasked. */
export function voteFlagRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk()
    .get(path, async (c) => {
      const flag = await flagNamed(deps, c.req.param('flag'))
      return flag ? show(c, deps, flag) : deskNotFound(c, deps, nothing)
    })
    .post(`${path}/decide`, async (c) => {
      const flag = await flagNamed(deps, c.req.param('flag'))
      const form = given.safeParse(await readFields(c))
      if (!flag || !form.success) return deskNotFound(c, deps, nothing)
      const { verb, revision, reason, sure } = form.data
      if (reason.length < reasonLength.least) return show(c, deps, flag, reason, tooShort)
      if (reason.length > reasonLength.most) return show(c, deps, flag, reason, tooLong)
      const isTrue = revision === flag.revision && verbsFor(flag).includes(verb)
      if (verb === 'set aside' && isTrue && !sure) return askAgain(c, deps, flag, form.data)
      const decided = await decideFlag(deps, { id: flag.id, verb, revision, reason }, c.get('session').editor)
      if (!decided.ok) return redirectSaying(c, pathOf(flag), refusals[decided.why])
      return redirectSaying(c, '/desk/votes', { kind: 'done', text: doneWords(verb, decided.votes) })
    })
}

const nothing = 'There is no flag of that number, or nothing to decide about it.'
const tooShort = `Say why in ${reasonLength.least} characters or more: whoever reads the log has to understand it.`
const tooLong = `Say it in ${reasonLength.most} characters or fewer.`

const refusals: Readonly<Record<'no flag' | 'grown' | 'decided already', Flash>> = {
  'no flag': { kind: 'problem', text: 'There is no such flag any more. Nothing was changed.' },
  grown: {
    kind: 'problem',
    text: 'It has changed since you looked: more votes came, or somebody decided. Nothing was changed: look at it again.',
  },
  'decided already': {
    kind: 'problem',
    text: 'Somebody has decided about it since you looked. Nothing was changed: look at it again.',
  },
}

async function flagNamed({ db }: DeskDeps, name: string): Promise<Flag | undefined> {
  return /^[1-9]\d{0,8}$/.test(name) ? findFlag(db, Number(name)) : undefined
}

function pathOf({ id }: Flag): string {
  return `/desk/votes/flags/${id}`
}

async function show(
  c: Context<DeskEnv>,
  deps: DeskDeps,
  flag: Flag,
  reason = '',
  problem = '',
): Promise<Response> {
  const verbs = verbsFor(flag)
  return deskPage(c, deps, 'desk-flag', {
    ...{ section: 'votes', title: flagTitle(flag), status: problem ? 422 : 200 },
    data: {
      ...{ path: pathOf(flag), revision: flag.revision, reason, problem, most: reasonLength.most },
      ...{ state: stateWords[flag.state], why: flagReason(flag), isOpen: flag.state === 'open' },
      isAgain: flag.decidedAt !== null && flag.state === 'open',
      evidence: evidenceRows(flag, deps.calendar.zone),
      effects: effectRows(await effectsOf(deps.db, flag.id), flag.names),
      hasAside: flag.setAside > 0,
      mayLeave: verbs.includes('leave'),
      setAside: verbs.includes('set aside') ? `Set ${votesWords(flag.votes - flag.setAside)} aside…` : '',
      countAgain: verbs.includes('count again') ? `Count ${votesWords(flag.setAside)} again` : '',
    },
  })
}

async function askAgain(c: Context<DeskEnv>, deps: DeskDeps, flag: Flag, form: Given): Promise<Response> {
  const many = votesWords(flag.votes - flag.setAside)
  return deskPage(c, deps, 'desk-flag-sure', {
    ...{ section: 'votes', title: `Set ${many} aside?` },
    data: {
      ...{ path: pathOf(flag), flag: flagTitle(flag), revision: form.revision, reason: form.reason },
      effects: effectRows(await effectsOf(deps.db, flag.id), flag.names),
      button: `Set ${many} aside`,
    },
  })
}

function doneWords(verb: FlagVerb, votes: number): string {
  const many = votesWords(votes)
  switch (verb) {
    case 'leave':
      return `Left as they are: ${many}. The flag is closed unless more join it.`
    case 'set aside':
      return `Set aside: ${many}. The public pages say so, and you can count them again at any time.`
    case 'count again':
      return `Counted again: ${many}.`
  }
}

function votesWords(votes: number): string {
  return `${grouped(votes)} ${votes === 1 ? 'vote' : 'votes'}`
}
