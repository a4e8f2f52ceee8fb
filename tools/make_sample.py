"""Write the sample of nova.conf, and with --reference print the table of flags for the README."""

import sys
from pathlib import Path

from nova_lite.conf import flags, sample

SAMPLE = Path(__file__).parents[1] / "etc" / "nova_lite" / "nova.conf.sample"


def main() -> None:
    conf = flags.defaults()
    if "--reference" in sys.argv:
        print(sample.reference(conf))
    else:
        SAMPLE.write_text(sample.sample(conf), encoding="utf-8")


if __name__ == "__main__":
    main()
