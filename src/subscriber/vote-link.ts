import type { ReviewVerdict } from '../../db/schema.ts'

/**
 * What stands in `/vote/…`: a reader's token for what was mailed up to a week's issue, that week, the tool, and the answer
 * that was pressed in the mail, where one was: `TOKEN.2026-W47.glyphmoor.ship`. Nothing in it needs escaping anywhere.
 */
export type VoteLink = {
  readonly token: string
  readonly week: string
  readonly tool: string
  readonly choice: ReviewVerdict | undefined
}

/** In the place of a token where the mail is shown to anybody: such a link tells how to vote. */
export const anybody = 'anybody'

const pattern =
  /^(anybody|[\w-]{1,32}\.[\w-]{22}\.[\w-]{22})\.(\d{4}-W\d{2})\.([a-z0-9-]{1,120})(?:\.(ship|skip))?$/

/** Reads a link; undefined for what cannot be one. Whether its token is ours is another question. */
export function readVoteLink(text: string): VoteLink | undefined {
  const [, token, week, tool, choice] = pattern.exec(text) ?? []
  if (!token || !week || !tool) return undefined
  return { token, week, tool, choice: choice === 'ship' || choice === 'skip' ? choice : undefined }
}

/** The path of the same reader's link on another tool of the mail, or on this one without an answer. */
export function voteLinkOn({ token, week }: VoteLink, tool: string): string {
  return `/vote/${token}.${week}.${tool}`
}
