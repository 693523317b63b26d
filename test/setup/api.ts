import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { expect } from 'vitest'
import { z } from 'zod'
import { appOn } from './app.ts'
import type { TestDatabase } from './database.ts'

export const apiToken = 'a-token-of-the-site-that-compares'

const reference = z.object({ $ref: z.string() })
const response = z.object({
  headers: z.record(z.string(), z.unknown()).default({}),
  content: z.record(z.string(), z.object({ schema: reference })).default({}),
})
const operation = z.object({ responses: z.record(z.string(), z.union([reference, response])) })
const description = z.object({
  paths: z.object({ '/api/comparisons/{slug}': z.record(z.string(), z.unknown()) }),
  components: z.object({
    schemas: z.record(z.string(), z.record(z.string(), z.unknown())),
    responses: z.record(z.string(), response),
  }),
})

type Body = string | Uint8Array<ArrayBuffer>
type App = ReturnType<typeof appOn>
type Options = Parameters<typeof appOn>[1]

/** What the site that makes the comparisons can do; every answer that it gets is held against the description that is served. */
export async function siteOn(database: TestDatabase, { environment = {}, ...parts }: Options = {}) {
  const app = appOn(database, { environment: { API_TOKEN: apiToken, ...environment }, ...parts })
  const check = await contractOf(app)
  async function ask(method: string, slug: string, headers: Record<string, string> = {}, body?: Body) {
    const answer = await app.request(`/api/comparisons/${slug}`, {
      method,
      headers: { authorization: `Bearer ${apiToken}`, ...headers },
      ...(body !== undefined && { body }),
    })
    const text = await answer.text()
    check(method, answer, text)
    return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : undefined }
  }
  return {
    app,
    ask,
    get: (slug: string, headers?: Record<string, string>) => ask('GET', slug, headers),
    put: (
      document: Readonly<Record<string, unknown>> & { slug: string },
      headers: Record<string, string> = {},
    ) =>
      ask('PUT', document.slug, { 'content-type': 'application/json', ...headers }, JSON.stringify(document)),
    putText: (slug: string, text: Body, headers: Record<string, string> = {}) =>
      ask('PUT', slug, { 'content-type': 'application/json', ...headers }, text),
    remove: (slug: string, headers?: Record<string, string>) => ask('DELETE', slug, headers),
  }
}

/** Checks an answer against the served description: its status, its headers, its type and its body. */
async function contractOf(app: App) {
  const served = description.parse(await (await app.request('/openapi.json')).json())
  const { schemas, responses } = served.components
  const ajv = new Ajv2020({ strict: true, allErrors: true })
  formats.default(ajv)
  const validators = new Map(Object.entries(schemas).map(([name, schema]) => [name, ajv.compile(schema)]))

  function described(method: string, status: number) {
    if (status === 405) return responses.WrongMethod
    const one = served.paths['/api/comparisons/{slug}'][method.toLowerCase()]
    const found = operation.parse(one ?? expect.fail(`${method} is not described`)).responses[status]
    if (found && '$ref' in found) return responses[found.$ref.split('/').pop() ?? '']
    return found
  }

  return (method: string, answer: Response, text: string) => {
    const wanted = described(method === 'HEAD' ? 'GET' : method, answer.status)
    if (!wanted) return expect.fail(`${method} ${answer.status} is not described: ${text}`)
    for (const name of Object.keys(wanted.headers))
      expect(answer.headers.get(name), `${name} of ${method} ${answer.status}`).not.toBeNull()
    if (method === 'HEAD') return
    const [type] = Object.keys(wanted.content)
    if (type === undefined) return expect(text).toBe('')
    expect(answer.headers.get('content-type')).toBe(type)
    const validate = validators.get(wanted.content[type]?.schema.$ref.split('/').pop() ?? '')
    if (!validate) return expect.fail(`${type} has no schema`)
    expect(validate(JSON.parse(text)), `${text}\n${JSON.stringify(validate.errors)}`).toBe(true)
  }
}
