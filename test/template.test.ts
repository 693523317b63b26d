import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loadPages } from '../src/template.ts'

describe('the pages', () => {
  it('escape what they are given', () => {
    const set = loadPages()('outbox-mail', { ...facts, subject: '<b>& "A"</b>' })

    expect(set).toContain('<h1>&lt;b&gt;&amp; &quot;A&quot;&lt;/b&gt;</h1>')
    expect(set).toContain('<title>&lt;b&gt;&amp; &quot;A&quot;&lt;/b&gt; ·')
  })

  it('do not leave a gap where a field is missing', () => {
    const { from: _, ...without } = facts

    expect(() => loadPages()('outbox-mail', without)).toThrow(/from/)
  })

  it('are known by name', () => {
    expect(() => loadPages()('no-such-page', {})).toThrow('templates/pages/no-such-page.hbs')
  })
})

describe('the templates', () => {
  const folder = new URL('../templates/', import.meta.url)
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.hbs'),
  )

  it.each(files)('%s lets no markup through unescaped', (file) => {
    expect(readFileSync(new URL(file, folder), 'utf8')).not.toMatch(/\{\{\{|\{\{~?&/)
  })
})

const facts = {
  id: 'w47-ann',
  subject: 'Week 47',
  from: 'verdicts@example.test',
  to: 'ann@example.test',
  date: { machine: '2026-11-20T14:00:00Z', person: '20 Nov 2026, 14:00 UTC' },
  size: '1.0 kB',
  tabs: [],
  framed: true,
  phone: false,
  text: '',
  headers: [],
  source: '',
}
