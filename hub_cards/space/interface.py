"""The page: a tab for each task, and in it what every model of that task answers, side by side."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import gradio as gr

from malmoi.data.user_error import UserError
from malmoi.hub_cards.space.answer_html import message_html
from malmoi.hub_cards.space.loaded_models import LoadedSpaceModel
from malmoi.hub_cards.space.tabs import TABS, Tab, examples_of, tab_of

STYLE = Path(__file__).with_name("style.css")
# fonts of the reader's own machine: none is fetched from elsewhere
FONTS = ["Pretendard", "Noto Sans KR", "Noto Sans CJK KR", "Apple SD Gothic Neo", "Malgun Gothic", "NanumGothic"]
# the screen reader reads the page out in Korean, and the browser offers no translation of it
HEAD = '<script>document.documentElement.lang = "ko"</script>'
TITLE = "말모이"
HEADING = """
<h1>말모이</h1>
<p>한국어 글에서 개체명을 찾고, 띄어쓰기를 바로잡고, 글을 분류합니다.</p>
"""


def build_interface(models: dict[str, list[LoadedSpaceModel]]) -> gr.Blocks:
    """Return the page for models by their task; a task without a model has no tab."""
    with gr.Blocks(title=TITLE, analytics_enabled=False) as blocks:
        gr.HTML(HEADING, elem_classes="malmoi-heading")
        with gr.Tabs():
            for task in TABS:
                if task in models:
                    tab = tab_of(task, models[task])
                    with gr.Tab(tab.title, id=tab.name):
                        _fill(tab, models[task])
    return blocks


def _fill(tab: Tab, models: Sequence[LoadedSpaceModel]) -> None:
    """Put field, button, answers and examples into a tab."""
    examples = examples_of(models)
    # the first answer of a model takes longer than all others
    tab.answer(models, examples[0])
    text = gr.Textbox(
        label="글", placeholder=f"{tab.placeholder} (Shift+Enter: {tab.button})", lines=3, elem_id=f"{tab.name}-text"
    )
    inputs: list[gr.Textbox | gr.Checkbox] = [text]
    with gr.Row(equal_height=True):
        if tab.option is not None:
            inputs.append(gr.Checkbox(label=tab.option, container=False, elem_id=f"{tab.name}-option"))
        button = gr.Button(tab.button, variant="primary", scale=0, min_width=160, elem_id=f"{tab.name}-button")
    answers = gr.HTML(
        message_html("답이 여기에 나타납니다."), elem_id=f"{tab.name}-answers", elem_classes="malmoi-answers"
    )
    gr.Examples(examples, inputs=text, label="예문")
    gr.on(
        [button.click, text.submit],
        partial(tab.answer, models),
        inputs=inputs,
        outputs=answers,
        api_name=tab.name,
        show_progress="minimal",
    )


def launch(models: dict[str, list[LoadedSpaceModel]], *, host: str | None = None, port: int | None = None) -> None:
    """Serve the page until the process is interrupted; nothing is shared and nothing is sent elsewhere.

    Args:
        models: The models by their task.
        host: Where to listen; by default where Gradio's environment variables say, otherwise on this machine only.
        port: At which port to listen; by default the first free one from that of Gradio's environment variable on,
            otherwise from 7860 on.

    Raises:
        UserError: If the port is taken.
    """
    blocks = build_interface(models)
    try:
        address = _launch(blocks, host=host, port=port)
    except OSError as error:  # Gradio's own sentence speaks of arguments that nobody here has
        where = "No port" if port is None else f"Port {port}"
        raise UserError(f"{where} could be opened on {host or 'this machine'} ({error.__class__.__name__}).") from None
    print(f"Open {address} in a browser; Ctrl+C ends it.", flush=True)
    blocks.block_thread()


def _launch(blocks: gr.Blocks, *, host: str | None, port: int | None) -> str:
    """Start to serve a page, and return its address."""
    _, address, _ = blocks.launch(
        server_name=host,
        server_port=port,
        share=False,
        ssr_mode=False,  # would start a server of Node.js
        quiet=True,  # says how to share
        prevent_thread_lock=True,
        theme=_theme(),
        css_paths=STYLE,
        head=HEAD,
        footer_links=[],
    )
    return str(address)


def _theme() -> gr.Theme:
    """Return a look with enough contrast to be read by everyone."""
    soft = gr.themes.Soft(
        primary_hue="teal", neutral_hue="slate", font=[*FONTS, "sans-serif"], font_mono=["monospace"]
    )
    return soft.set(
        background_fill_primary="*neutral_50",  # `set` takes back what Soft sets
        block_title_text_color="*primary_800",
        block_label_text_color="*primary_800",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        checkbox_border_color="*neutral_400",
        input_border_color="*neutral_300",
        input_border_width="1px",
    )
