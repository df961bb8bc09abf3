"""A progress that raises Ctrl-C at the n-th step."""

from bezoar.run import Silent


class Interrupting(Silent):
    """Raises Ctrl-C at the n-th advance of a bar."""

    def __init__(self, after):
        self.after = after

    def bar(self, *arguments, **named):
        class Bar:
            def __enter__(inner):
                return inner

            def __exit__(inner, *_):
                return None

            def note(inner, text):
                pass

            def advance(inner, n=1):
                self.after -= 1
                if self.after < 0:
                    raise KeyboardInterrupt

        return Bar()
