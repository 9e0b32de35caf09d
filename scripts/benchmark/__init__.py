"""What the gateway costs: measured beside plain mitmdump and no gateway at all, in one interleaved run."""
