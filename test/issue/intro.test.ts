import { type ConfigData, HtmlValidate } from 'html-validate'
import { parseHTML } from 'linkedom'
import { describe, expect, it } from 'vitest'
import { cutEdition, fillEdition, freezeEdition, holeFor } from '../../src/issue/edition.ts'
import { longestIntro, setIntro } from '../../src/issue/intro.ts'
import { loadIssueTemplates, renderIssue } from '../../src/issue/render.ts'
import { annsLinks, sampleIssue, setting } from '../setup/sample-issue.ts'

const templates = loadIssueTemplates()
const render = (intro: string) => renderIssue(templates, { ...sampleIssue(), intro }, setting)
const forAnn = (intro: string) => fillEdition(cutEdition(freezeEdition(render(intro))), annsLinks)

const elements = ['a', 'b', 'blockquote', 'br', 'code', 'em', 'li', 'ol', 'p', 'pre', 'strong', 'ul']

describe('an editor’s note', () => {
  const note = [
    'Hello *you*. See [the site](https://example.com/a?x=1&y=2), or <https://example.com/b>.',
    '# A heading\n\n- one\n- two\n  - three',
    '3. third\n4. fourth',
    '> said **once**',
    'line  \nnext line',
  ].join('\n\n')

  it('is set in type, with a style on each block and no heading of its own', () => {
    const { document } = parseHTML(`<body>${setIntro(note).html}</body>`)
    const texts = (selector: string) => [...document.querySelectorAll(selector)].map((one) => one.textContent)

    expect(texts('em')).toEqual(['you'])
    expect(texts('p > b')).toEqual(['A heading'])
    expect(texts('h1, h2, h3, h4, h5, h6')).toEqual([])
    expect([...document.querySelectorAll('a')].map((a) => a.getAttribute('href'))).toEqual([
      ...['https://example.com/a?x=1&y=2', 'https://example.com/b'],
    ])
    expect(document.querySelector('ol')?.getAttribute('start')).toBe('3')
    for (const block of document.querySelectorAll('p, ul, ol, blockquote'))
      expect(block.getAttribute('style')).toContain('margin:0 0 12px')
  })

  it('has a plain twin, from the same words', () => {
    expect(setIntro(note).text).toBe(
      [
        'Hello you. See the site <https://example.com/a?x=1&y=2>, or',
        'https://example.com/b.\n',
        'A heading\n',
        ...['- one', '- two', '  - three\n', '3. third', '4. fourth\n', '  said once\n', 'line', 'next line'],
      ].join('\n'),
    )
  })

  it('stands after the headline and before the table, in both parts', () => {
    const { html, text } = forAnn('Hello *you*.')
    const { document } = parseHTML(html)
    const [headline, table] = [document.querySelector('h1'), document.querySelector('table.glance')]

    expect(headline?.nextElementSibling?.textContent).toBe('Hello you.')
    expect(headline?.nextElementSibling?.nextElementSibling).toBe(table)
    expect(text.indexOf('Hello you.')).toBeGreaterThan(text.indexOf(sampleIssue().headline.slice(0, 20)))
    expect(text.indexOf('Hello you.')).toBeLessThan(text.indexOf('6 comparisons this week'))
  })

  it('keeps the mail sound', async () => {
    const rules: ConfigData = {
      root: true,
      extends: ['html-validate:document'],
      rules: { 'no-inline-style': 'off' },
    }
    const report = await new HtmlValidate(rules).validateString(
      `<!doctype html><html lang="en"><head><title>x</title></head><body>${setIntro(note).html}</body></html>`,
    )

    expect(report.results.flatMap(({ messages }) => messages.map(({ message }) => message))).toEqual([])
  })

  it('that is empty changes no byte', () => {
    const { intro: _, ...issue } = sampleIssue()

    expect(render('')).toEqual(renderIssue(templates, { ...issue, intro: '' }, setting))
    expect(render('').html).not.toContain('font-size:18px"></div>')
    expect(setIntro('')).toEqual({ html: '', text: '' })
  })
})

describe('a hostile note', () => {
  const nasty = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<svg/onload=alert(1)><a xlink:href="javascript:alert(1)">x</a>',
    '<style>*{display:none}</style><base href="https://evil.example">',
    '<!--[if mso]><script>alert(1)</script><![endif]-->',
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](java\tscript:alert(1))',
    '[x](javascript&colon;alert(1))',
    '[x](&#106;avascript:alert(1))',
    '[x](vbscript:msgbox(1))',
    '[x](data:text/html;base64,PHNjcmlwdD4=)',
    '[x](file:///etc/passwd)',
    '[x](//evil.example)',
    '[x](/desk/issues)',
    '<javascript:alert(1)>',
    '![x](https://evil.example/pixel.png)',
    '![x](javascript:alert(1))',
    '[![x](https://evil.example/p.png)](https://example.com)',
    '[x](https://example.com "t\\" onmouseover=alert(1) \\"")',
    '[x](https://example.com/"onmouseover="alert(1))',
    '[x]: javascript:alert(1)\n\n[x]',
    '**[a *b [c](javascript:alert(1)) d* e](https://example.com)**',
    '`<script>alert(1)</script>`',
    '```\n</pre><script>alert(1)</script>\n```',
    '{{constructor}} {{{unsubscribe}}} {{> mail-stamp}} %%UNSUBSCRIBE%%',
    '<mj-include path="/etc/passwd" />',
    '&lt;script&gt;alert(1)&lt;/script&gt; &#60;b&#62;',
    '\u0001unsubscribe\u0002 \u0003',
    '&#1;unsubscribe&#2; &#x3; &#0;',
    '\u202eturned\u202c \u2066isolated\u2069',
    '&#x202e;turned&#x202c;',
    '\ud800 half',
    "$& $1 $` $'",
    '>'.repeat(400),
    '['.repeat(1000),
    '*a '.repeat(600),
    `${'- '.repeat(300)}x`,
  ]

  it.each(nasty)('is words, or links that lead outside, and nothing else: %j', (source) => {
    const { html, text } = setIntro(source)
    const { document } = parseHTML(`<body>${html}</body>`)

    for (const element of document.querySelectorAll('body *')) {
      expect(elements).toContain(element.localName)
      for (const { name, value } of element.attributes) {
        expect(['href', 'start', 'style', 'class']).toContain(name)
        if (name === 'href') expect(value).toMatch(/^(?:https?:\/\/|mailto:)/)
        if (name === 'style') expect(value).toMatch(/^(?:margin:0 0 12px|class)/)
      }
    }
    expect(html + text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
    expect((html + text).isWellFormed()).toBe(true)
  })

  it.each(nasty)('adds nothing to the mail outside its own place: %j', (source) => {
    const around = (intro: string) => {
      const { document } = parseHTML(forAnn(intro).html)
      document.querySelector('h1 + div')?.replaceChildren()
      return [...document.querySelectorAll('*')].map(
        (one) => `${one.localName} ${one.getAttributeNames().join()}`,
      )
    }

    expect(around(source)).toEqual(around('Plain words.'))
  })

  it('cannot make a hole of its own', () => {
    const holes = (part: string) => part.split(holeFor('unsubscribe')).length
    const plain = render('Plain words.')

    for (const source of [holeFor('unsubscribe'), '&#1;unsubscribe&#2;', '`\u0001unsubscribe\u0002`']) {
      const { html, text } = render(source)
      expect([holes(html), holes(text)]).toEqual([holes(plain.html), holes(plain.text)])
    }
  })

  it('of any length is set in no time, and never more than may be typed', () => {
    for (const piece of ['[', '*_', '> ', '- ', '`', '![', '<', '&#', '\\'])
      expect(setIntro(piece.repeat(100_000)).text.length).toBeLessThan(longestIntro * 40)
  })
})
