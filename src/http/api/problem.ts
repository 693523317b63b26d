import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'

/** Everything that can be wrong, by the name of its description in the OpenAPI document. */
export const problems = {
  Malformed: [400, 'The body is not JSON'],
  NoToken: [401, 'A token is needed'],
  Unknown: [404, 'There is nothing here'],
  WrongMethod: [405, 'This cannot be done here'],
  Changed: [412, 'The comparison is not the one that you know'],
  TooLarge: [413, 'The body is too large'],
  WrongType: [415, 'The body is not of a type that is read here'],
  Invalid: [422, 'The document is not a comparison'],
  Retracted: [428, 'The comparison was retracted by somebody else'],
  TooManyTries: [429, 'Too many wrong tokens'],
  Broken: [500, 'Something broke on our side'],
  Closed: [503, 'The interface is closed'],
} as const satisfies Record<string, readonly [ContentfulStatusCode, string]>

export type ProblemName = keyof typeof problems

const place = z.object({
  path: z.string().describe('JSON pointer (RFC 6901) into the document; empty for the document as a whole'),
  message: z.string(),
  line: z.int().min(1),
  column: z.int().min(1),
})

/** A problem as it is answered (RFC 9457), with what some of them add. */
export const problemDocument = z.object({
  type: z.url().describe('Where this kind of problem is described'),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('What is wrong, and what to do about it'),
  errors: z.array(place).max(50).optional().describe('Each place in the body where something is wrong'),
  current: z
    .object({
      etag: z.string(),
      revision: z.int().min(1),
      retracted: z.boolean(),
      same: z.boolean().describe('Whether it says already what the request would have it say'),
    })
    .nullable()
    .optional()
    .describe('What the comparison is now; null where there is none'),
})

export type Problem = z.infer<typeof problemDocument>

/** Answers with a problem. `detail` is for people; what a program needs is in `more`. */
export type Answer = (
  c: Context,
  name: ProblemName,
  detail: string,
  more?: Pick<Problem, 'errors' | 'current'>,
) => Response

/** Problems whose types lead to their descriptions under this address. */
export function problemsUnder(publicUrl: string): Answer {
  return (c, name, detail, more) => {
    const [status, title] = problems[name]
    const type = `${publicUrl}/openapi.json#/components/responses/${name}`
    const problem: Problem = { type, title, status, detail, ...more }
    return c.body(JSON.stringify(problem), status, {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
    })
  }
}
