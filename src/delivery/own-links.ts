import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Issue } from '../issue/issue.ts'
import type { LinkTarget } from '../issue/links.ts'
import { readToken, type SigningKey } from '../subscriber/token.ts'
import { readVoteLink } from '../subscriber/vote-link.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly keys: readonly SigningKey[]
  readonly publicUrl: string
}

/** Looks where links of ours would lead, as our own pages would answer, without asking for them. Others' are left alone. */
export type FindDead = (
  urls: readonly string[],
  known: readonly LinkTarget[],
) => Promise<ReadonlyMap<string, string>>

/** Pages that are there whatever the issue. */
const always = ['', '/', '/issues', '/subscribe', '/feed.xml', '/feed.json']

/**
 * Finds the links that lead nowhere, each with why. `known` are the counted links that will be there when the mail is.
 * What the database says of a comparison or an issue is asked once, so a finder is for one look at one issue.
 */
export function deadLinkFinder({ db, keys, publicUrl }: Deps, { week }: Pick<Issue, 'week'>): FindDead {
  const base = publicUrl.replace(/\/$/, '')
  const asked = new Map<string, Promise<boolean>>()
  const once = (key: string, ask: () => Promise<unknown>): Promise<boolean> => {
    const answer = asked.get(key) ?? ask().then((row) => row !== undefined)
    asked.set(key, answer)
    return answer
  }

  async function whyDead(url: string, known: readonly LinkTarget[]): Promise<string | undefined> {
    if (url !== base && !url.startsWith(`${base}/`)) return undefined
    const path = url.slice(base.length).replace(/[?#].*$/, '')
    if (always.includes(path)) return undefined
    const [, readers, slug] = /^(\/preferences\/[^/]+)\/follow\/([^/]+)$/.exec(path) ?? []
    if (slug !== undefined)
      return (await whyDead(base + readers, known)) ?? whyDead(`${base}/compare/${slug}`, known)
    const [, page, name = ''] = /^\/([a-z]+)\/([^/]+)$/.exec(path) ?? []
    switch (page) {
      case 'go': {
        const link = known.find(({ id }) => id === name)
        if (!link) return 'a counted link leads nowhere: nothing is stored under it'
        const why = await whyDead(link.target, known)
        return why && `it leads to ${link.target}: ${why}`
      }
      case 'compare':
        return (await once(path, () => comparisonAt(db, decoded(name))))
          ? undefined
          : 'there is no such comparison, or it was retracted'
      case 'issues':
        return name === week || (await once(path, () => issueSent(db, name)))
          ? undefined
          : 'that issue was not sent'
      case 'vote':
        return whyNoVote(keys, name)
      case 'unsubscribe':
      case 'preferences':
        return readToken(keys, page, name) === undefined ? 'its token is not one of ours' : undefined
      default:
        return 'we have no such page'
    }
  }

  return async (urls, known) => {
    const dead = new Map<string, string>()
    for (const url of new Set(urls)) {
      const why = await whyDead(url, known)
      if (why) dead.set(url, why)
    }
    return dead
  }
}

function whyNoVote(keys: readonly SigningKey[], name: string): string | undefined {
  const link = readVoteLink(name)
  if (!link) return 'it is no link to vote with'
  return readToken(keys, `vote ${link.week}`, link.token) === undefined
    ? 'its token is not one of ours'
    : undefined
}

function comparisonAt(db: Kysely<Database>, slug: string) {
  return db
    .selectFrom('comparison')
    .select('id')
    .where('slug', '=', slug)
    .where('retracted_at', 'is', null)
    .executeTakeFirst()
}

function issueSent(db: Kysely<Database>, week: string) {
  return db
    .selectFrom('issue')
    .select('id')
    .where('week', '=', week)
    .where('state', 'in', ['sending', 'paused', 'sent', 'partly sent'])
    .executeTakeFirst()
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
