import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Database } from '../../../db/schema.ts'
import type { Calendar, Clock } from '../../clock.ts'
import { findQuestion, type Question } from '../../issue/question.ts'
import { castVote } from '../../subscriber/cast-vote.ts'
import type { SigningKey } from '../../subscriber/token.ts'
import { anybody, readVoteLink, type VoteLink, voteLinkOn } from '../../subscriber/vote-link.ts'
import type { Pages } from '../../template.ts'
import type { Connected } from '../client-address.ts'
import { type Holder, holderOf, neverKept, tooMuch, unknownLink } from './personal-link.ts'
import { type Said, standingView, voteView } from './vote-view.ts'

export type VoteDeps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly keys: readonly SigningKey[]
  readonly calendar: Calendar
  readonly fewestVotes: number
  readonly pages: Pages
  readonly networkOf: (c: Context<Connected>) => string
}

type Opened = { readonly holder: Holder; readonly link: VoteLink; readonly question: Question }

/**
 * "Would you ship it?", behind the links under each comparison of a mail. GET shows the answer that was pressed, still to
 * be sent, and counts nothing, whoever opens it and however often; POST records. Who it is stands in the link alone: there
 * is no cookie that another site could make a browser send.
 */
export function voteRoutes(deps: VoteDeps): Hono<Connected> {
  const { pages } = deps
  const show = async (c: Context, { holder, link, question }: Opened, said: Said, status: 200 | 409 | 422) =>
    c.html(pages('vote', await voteView(deps, holder, link, question, said)), status)

  return new Hono<Connected>()
    .use('/vote/*', neverKept)
    .use('/vote/*', bodyLimit({ maxSize: 4096, onError: (c) => c.html(pages('message', tooMuch), 413) }))
    .get('/vote', (c) => c.html(pages('message', fromYourMail)))
    .get('/vote/:token', (c) =>
      opened(deps, c, (found) => show(c, found, { isDone: c.req.query('done') === 'vote' }, 200)),
    )
    .post('/vote/:token', (c) =>
      opened(deps, c, async (found) => {
        const form = voteForm(await c.req.text(), found.link)
        if (!form) return show(c, found, { problem: 'Choose one of the two.' }, 422)
        const { holder, link, question } = found
        const wish = { ...question, ...form, network: deps.networkOf(c) }
        const cast = holder.isTest ? 'cast' : await castVote(deps, holder.public_id, wish)
        switch (cast) {
          case 'cast':
          case 'unchanged':
            return c.redirect(`${voteLinkOn(link, link.tool)}?done=vote`, 303)
          case 'stale':
            return show(c, found, { problem: stale }, 409)
          case 'not on the list':
            return c.html(pages('message', notOnTheList), 403)
        }
      }),
    )
}

/** Finds out whose link it is and what it is about, or says why there is nothing to vote on. */
async function opened(
  deps: VoteDeps,
  c: Context,
  then: (found: Opened) => Promise<Response>,
): Promise<Response> {
  const { pages } = deps
  const link = readVoteLink(c.req.param('token') ?? '')
  if (!link) return c.html(pages('message', unknownLink), 404)
  const holder = link.token === anybody ? undefined : await holderOf(deps, `vote ${link.week}`, link.token)
  if (!holder && link.token !== anybody) return c.html(pages('message', unknownLink), 404)
  const found = await findQuestion(deps.db, { ...link, isTest: holder?.isTest ?? false })
  if (!found) return c.html(pages('message', unknownLink), 404)
  if (found.kind === 'gone')
    return holder ? c.html(pages('message', gone), 410) : c.html(pages('message', fromYourMail))
  const { question } = found
  if (!holder) {
    const status = c.req.method === 'POST' ? 403 : 200
    return c.html(pages('vote-by-mail', await standingView(deps, question)), status)
  }
  if (holder.status !== 'confirmed' && holder.status !== 'paused')
    return c.html(pages('message', notOnTheList), 403)
  return then({ holder, link, question })
}

const fields = z.object({
  vote: z.enum(['ship', 'skip']).optional(),
  seen: z.coerce.number().int().min(0).max(1_000_000_000).optional(),
})

/** What the form says, or, where nothing is in it, the answer that the link has; undefined when there is none. */
function voteForm(body: string, { choice }: VoteLink) {
  const read = fields.safeParse(Object.fromEntries(new URLSearchParams(body)))
  const verdict = read.success ? (read.data.vote ?? choice) : undefined
  return read.success && verdict ? { verdict, seen: read.data.seen } : undefined
}

const stale =
  'This form is from before your last vote, so it changed nothing. What is shown now is how you voted; change it here if you want to.'

const notOnTheList = {
  kicker: 'Nothing was counted',
  title: 'Only readers on the list vote',
  lede: 'This address is not on the list now. Sign up on the front page, and the next issue brings votes of your own. What you voted before still counts.',
  ...{ button: '', note: '' },
}

const gone = {
  kicker: 'Nothing was counted',
  title: 'There is no vote on this any more',
  lede: 'The comparison was retracted, or it compares another tool now. Votes from before are kept.',
  ...{ button: '', note: '' },
}

const fromYourMail = {
  kicker: 'The community vote',
  title: 'Readers vote from their mail',
  lede: 'Under each comparison of an issue there are two links to each tool: one vote to a reader and tool, which you may change. This page cannot know who you are.',
  ...{ button: '', note: '' },
}
