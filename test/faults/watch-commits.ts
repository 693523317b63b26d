import { Client } from 'pg'

/** Told of every commit of this process: what its transaction said, in lower case, before it is sent and after it was done. */
export type CommitWatch = { before(said: string): void; after(said: string): void }

/** Listens to the driver, from outside: a statement alone is a transaction of its own. */
export function watchCommits(watch: CommitWatch): void {
  const original: unknown = Client.prototype.query
  const open = new WeakMap<object, string[]>()
  if (typeof original !== 'function') throw new Error('The driver has no query')

  Object.assign(Client.prototype, {
    query(this: object, ...args: unknown[]): unknown {
      const text = textOf(args[0]).toLowerCase()
      const said = open.get(this)
      if (/^(?:begin|start transaction)/.test(text)) open.set(this, [])
      else if (/^(?:rollback|commit)/.test(text)) open.delete(this)
      else said?.push(text)

      const isCommit = text.startsWith('commit')
      const whole = isCommit ? said?.join('\n') : said === undefined ? text : undefined
      if (whole !== undefined) watch.before(whole)
      const result: unknown = Reflect.apply(original, this, args)
      if (!(result instanceof Promise) || whole === undefined) return result
      return result.then((value: unknown) => {
        watch.after(whole)
        return value
      })
    },
  })
}

function textOf(query: unknown): string {
  if (typeof query === 'string') return query.trim()
  if (query && typeof query === 'object' && 'text' in query) return String(query.text).trim()
  return ''
}
